# Reads the TAP of one bats file and prints each case with its time, what it said, and, when it failed, why; appends one line a case
# to the file RESULTS: class, name, seconds, passed|failed|skipped|known, text (newlines as \n), separated by tabs.
#   awk -v class=NAME -v results=FILE -v known=FILE -f results.awk
BEGIN {
	while (known != "" && (getline line < known) > 0)
		if (line !~ /^(#|$)/ && split(line, part, "\t") >= 2)
			reason[part[1]] = part[2]
}

# Everything of a case goes out in one write, so that files that run beside each other do not mix their lines.
function say(text) {
	printf "%s", text
	fflush()
}

function finish(    shown, body) {
	if (name == "")
		return
	body = details
	gsub(/\\/, "\\\\", body)
	gsub(/\t/, "    ", body)
	gsub(/\n/, "\\n", body)
	if (status == "skipped")
		body = substr(why, 6)
	if (status == "passed" && name in reason)
		details = details "# listed in test/known-failures (" reason[name] "), but it passes: take it off the list\n"
	if (status == "failed" && name in reason) {
		status = "known"
		body = reason[name]
		details = "# known failure: " reason[name] "\n"
	}
	shown = status == "passed" ? "ok" : status == "failed" ? "FAILED" : status
	# mawk's sprintf() takes 8 KiB; what a failed case has printed may be more.
	say(sprintf("%-7s %6.1f s  ", shown, seconds) name "\n" details)
	printf "%s\t%s\t%.3f\t%s\t%s\n", class, name, seconds, status, body >> results
	close(results)
	name = details = ""
}

/^1\.\.[0-9]+$/ {
	planned = substr($0, 4) + 0
	has_plan = 1
	next
}
/^(not )?ok [0-9]+ / {
	failed = /^not /
	finish()
	line = $0
	sub(/^(not )?ok [0-9]+ /, "", line)
	said = notes
	notes = ""
	why = ""
	if (match(line, / # (skip|timeout)/)) {
		why = substr(line, RSTART + 3)
		line = substr(line, 1, RSTART - 1)
	}
	seconds = 0
	if (match(line, / in [0-9]+ms$/)) {
		seconds = substr(line, RSTART + 4, RLENGTH - 6) / 1000
		line = substr(line, 1, RSTART - 1)
	}
	name = line
	status = failed ? "failed" : why ~ /^skip/ ? "skipped" : "passed"
	details = said (why == "" ? "" : "# " why "\n")
	seen++
	next
}
# Words of a case that still runs (written to its descriptor 3) come before its result; what a failed one printed comes after.
/^#/ {
	if (name != "" && status == "failed")
		details = details $0 "\n"
	else
		notes = notes $0 "\n"
	next
}
{ loose = loose "# " $0 "\n" }
END {
	finish()
	if (!has_plan || seen < planned) {
		name = class ": the file ended early, " seen + 0 " of " planned + 0 " cases done"
		status = "failed"
		details = notes loose
		finish()
	}
}
