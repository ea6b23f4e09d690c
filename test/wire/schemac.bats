# The schema compiler on schemas of its own: what it makes must compile, and what it cannot make it must name.

setup() {
	cd "$TOP"
	make -s build/host/schemac
	mkdir -p "$BATS_TEST_TMPDIR/in" "$BATS_TEST_TMPDIR/out/api"
}

compile_schema() { # PROTO
	protoc --experimental_allow_proto3_optional --include_source_info -Iproto -I/usr/include -I"$(dirname "$1")" \
		-o "$BATS_TEST_TMPDIR/set" "$1"
	build/host/schemac "$BATS_TEST_TMPDIR/set" "$BATS_TEST_TMPDIR/out/api"
}

# message TEXT: a schema of one message with that body
one_message() {
	printf 'syntax = "proto3";\npackage t.v1;\nimport "api/options.proto";\nmessage Other { string a = 1; }\nmessage M {\n%s\n}\n' "$1" \
		>"$BATS_TEST_TMPDIR/in/m.proto"
	run compile_schema "$BATS_TEST_TMPDIR/in/m.proto"
}

@test "every combination of shapes compiles and goes through protobuf" {
	compile_schema test/data/schemac/all.proto
	out=$BATS_TEST_TMPDIR/out
	touch "$out/api/resource.gen.h"
	gcc -std=c17 -D_GNU_SOURCE -Wall -Wextra -Werror -Wno-missing-field-initializers -fsanitize=address,undefined -Icommon -I"$out" \
		-o "$out/check" test/data/schemac/check.c "$out"/api/*.gen.c -lprotobuf-c
	"$out/check"
}

@test "the same schema twice leaves the files as they are" {
	compile_schema test/data/schemac/all.proto
	before=$(stat -c %y "$BATS_TEST_TMPDIR"/out/api/*)
	sleep 0.05
	compile_schema test/data/schemac/all.proto
	[ "$before" = "$(stat -c %y "$BATS_TEST_TMPDIR"/out/api/*)" ]
}

@test "two fields with one JSON name are named" {
	one_message 'string a = 1; Other o = 2 [(kubec.inline) = true];'
	[ "$status" -eq 1 ]
	[[ $output == *"t.v1.M has two fields called a"* ]]
}

@test "an enum type is refused by its field's name" {
	one_message 'enum E { X = 0; } E kind_of = 1;'
	[ "$status" -eq 1 ]
	[[ $output == *"field kind_of has a type that the API does not use"* ]]
}

@test "a oneof is refused" {
	one_message 'oneof x { string a = 1; string b = 2; }'
	[ "$status" -eq 1 ]
	[[ $output == *"field a stands in a oneof"* ]]
}

@test "only a single message can be inlined" {
	one_message 'repeated Other o = 1 [(kubec.inline) = true];'
	[ "$status" -eq 1 ]
	[[ $output == *"t.v1.M.o: only a single message can be inlined"* ]]
}

@test "a broken descriptor set is an error, not a crash" {
	head -c 300 /dev/urandom >"$BATS_TEST_TMPDIR/set"
	run build/host/schemac "$BATS_TEST_TMPDIR/set" "$BATS_TEST_TMPDIR/out/api"
	[ "$status" -eq 1 ]
	[[ $output == "schemac: the input is no descriptor set" ]]
	run build/host/schemac /nonexistent "$BATS_TEST_TMPDIR/out/api"
	[ "$status" -eq 1 ]
	[[ $output == "schemac: cannot read /nonexistent" ]]
}
