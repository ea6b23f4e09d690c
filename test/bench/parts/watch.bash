# Many watchers of one busy pod of 6 to 8 KiB, which changes 50 times a second (5 for the greatest crowd).

crowd() { # WATCHERS SECONDS RATE
	load watch --namespace watched --figure "watch-$1" --n "$(scaled "$1")" --seconds "$(span "$2")" --rate "$3"
}
crowds() {
	crowd 1 2 50
	crowd 100 2 50
	crowd 1000 3 50
}
part_watch() {
	sides_start
	template
	each_side pods_of watched 1
	each_side settle
	rounds crowds
	ROUNDS=$((ROUNDS > 2 ? 2 : ROUNDS)) rounds crowd 5000 3 5
}
