# Writes the results of a suite (the lines that results.awk makes) as JUnit XML.
#   awk -v suite=NAME -f junit.awk RESULTS
BEGIN { FS = "\t" }

function xml(text) {
	gsub(/[\001-\010\013\014\016-\037]/, "?", text)
	gsub(/&/, "\\&amp;", text)
	gsub(/</, "\\&lt;", text)
	gsub(/>/, "\\&gt;", text)
	gsub(/"/, "\\&quot;", text)
	return text
}
function lines(text) {
	gsub(/\\n/, "\n", text)
	return text
}

{
	out = sprintf("  <testcase classname=\"%s\" name=\"%s\" time=\"%s\"", xml($1), xml($2), $3)
	if ($4 == "failed")
		out = out ">\n    <failure message=\"" xml(substr($5, 1, 120)) "\">" xml(lines($5)) "</failure>\n  </testcase>\n" # more than sprintf() takes
	else if ($4 == "skipped" || $4 == "known")
		out = out sprintf("><skipped message=\"%s%s\"/></testcase>\n", $4 == "known" ? "known failure: " : "", xml($5))
	else
		out = out "/>\n"
	cases = cases out
	n++
	failures += $4 == "failed"
	skipped += $4 == "skipped" || $4 == "known"
	seconds += $3
}
END {
	printf "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	printf "<testsuite name=\"%s\" tests=\"%d\" failures=\"%d\" skipped=\"%d\" time=\"%.3f\">\n%s</testsuite>\n", suite, n, failures, skipped, seconds, cases
}
