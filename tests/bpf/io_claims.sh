# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2154
#
# Sourced beside kernel-env.sh: what io_target.c does, whoever saw it. $folder_real is the folder it was given, `said` what it printed.

file() { awk -v name="$1" -v field="$2" '$1 == "file" && $2 == name { print $field; exit }' said; }

# ask_io QUALITY: by context and file: FUNCTION NUMBER FILE COUNT BYTES
ask_io() {
	while read -r function number name count bytes; do
		ask "$function: $count x $number on $name, $bytes bytes" '
			[sums(3) | select(path(.who)[0] == $function and .sub == $number)] |
			length == 1 and (.[0] | .count == $count and .bytes == $bytes and .device == $device and .inode == $inode and .path == $path and
				.who.quality == $quality and .ns > 0 and .max_ns <= .ns and (.histogram | add) == $count)' \
			--argjson quality "$1" --arg function "$function" --argjson number "$number" --argjson count "$count" --argjson bytes "$bytes" \
			--argjson device "$(file "$name" 3)" --argjson inode "$(file "$name" 4)" --arg path "$folder_real/$name"
	done <<-END
	write_first 18 first 3 6000
	write_second 18 second 1 4096
	write_second 20 second 1 75
	sync_first 74 first 1 0
	sync_first 75 first 1 0
	direct_write 18 direct 20 1310720
	direct_sync 74 direct 1 0
	direct_read 17 direct 20 1310720
	write_later 1 later 16 1048576
	flush_all 306 later 1 0
	END
	ask "read_first: 3 x pread64 on first, 6000 bytes; 1 on a bad descriptor" '
		[sums(3) | select(path(.who)[0] == "read_first" and .sub == 17) | [.path, .count, .bytes]] | sort == [[null, 1, 0], [$path, 3, 6000]]' \
		--arg path "$folder_real/first"
	ask "make_file: openat knows the file it made" '[sums(3) | select(path(.who)[0] == "make_file" and .sub == 257 and .inode == $inode) | .count] == [1]' \
		--argjson inode "$(file second 4)"
	ask "pipe" '[sums(3) | select(path(.who)[0] == "use_pipe" and .bytes > 0) | [.path, .sub, .bytes]] | sort == [["pipe", 0, 21], ["pipe", 1, 21]]'
	ask "socket" '[sums(3) | select(path(.who)[0] == "use_socket" and .bytes > 0) | [.path, .sub, .bytes]] | sort ==
		[["socket:unix", 1, 22], ["socket:unix", 44, 23], ["socket:unix", 45, 45]]'
	ask "what is named by path alone has that path" '[sums(3) | select(path(.who)[0] == "name_paths") | [.sub, .path, .device, .count]] | sort ==
		[[82, "folder", 0, 1], [83, "folder", 0, 1], [84, "renamed folder", 0, 1], [87, "first", 0, 1], [257, "no/such/file", 0, 1]]'
	ask "every file has a path" '[sums(3) | select(.inode != 0 and .path == null)] == []'
	ask "the slow read is a record" '[every("io") | select(path(.who)[0] == "read_slowly" and .syscall == 0 and .path == "pipe")] |
		length == 1 and (.[0] | .duration_ns >= 20000000 and .result == 1 and .fd >= 0)'
}
