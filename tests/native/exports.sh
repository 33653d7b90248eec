#!/usr/bin/env bash
# What the library shows to linkers and loaders: the functions of its header and of frei0r.h, all of one version, and nothing else; and what it needs: the C library alone.
#
#   exports.sh LIBRARY HEADER
set -euo pipefail
library=$1 header=$2
status=0
complain() { echo "exports: $*" >&2; status=1; }

# Declarations of the header: the word before "(" on lines that are no comment and no preprocessor's.
declared=$(gcc -fpreprocessed -dD -E -P "$header" | grep -oE '\brtd_[a-z0-9_]+\(' | tr -d '(' | sort -u)
# frei0r.h 1.2 for filters of one frame; f0r_update2 is for mixers.
frei0r=$(printf 'f0r_%s\n' init deinit get_plugin_info get_param_info construct destruct set_param_value get_param_value update | sort)
exported=$(nm -D --defined-only "$library" | awk '$2 != "A" { print $3 }')
expected=$(printf '%s\n%s\n' "$declared" "$frei0r" | sort)
names=$(sed 's/@@.*//' <<< "$exported" | sort)
[[ $(wc -l <<< "$declared") -ge 20 ]] || complain "only these functions were found in $header: $declared"
[[ $names == "$expected" ]] || complain "differences (< expected, > exported):" $'\n'"$(diff <(echo "$expected") <(echo "$names"))"
versions=$(sed 's/.*@@//' <<< "$exported" | sort -u)
[[ $versions == REALTIMEDEBLUR_0 ]] || complain "versions are $versions"

dynamic=$(readelf -d "$library")
[[ $dynamic == *"Library soname: [librealtimedeblur.so.0]"* ]] || complain "SONAME is not librealtimedeblur.so.0"
[[ $dynamic == *NODELETE* ]] || complain "it can be unmapped"
needed=$(sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' <<< "$dynamic" | grep -vE '^(libc\.so\.6|libm\.so\.6|libdl\.so\.2|libpthread\.so\.0|ld-linux-x86-64\.so\.2)$' || true)
[[ -z $needed ]] || complain "it needs $needed"
[[ $dynamic != *RPATH* && $dynamic != *RUNPATH* ]] || complain "it has a search path of the machine that it was built on"
[[ $(readelf -lW "$library") != *"GNU_STACK"*"RWE"* ]] || complain "its stack can be executed"

# The header alone is valid C99, and C++ where there is a compiler.
echo '#include "realtimedeblur.h"' | gcc -x c -std=c99 -Wall -Wextra -Wpedantic -Werror -fsyntax-only -I "$(dirname "$header")" - || complain "the header is no C99"
! command -v g++ > /dev/null || echo '#include "realtimedeblur.h"' | g++ -x c++ -std=c++11 -Wall -Wextra -Wpedantic -Werror -fsyntax-only -I "$(dirname "$header")" - || complain "the header is no C++"
[[ $status -ne 0 ]] || echo "exports: $(wc -l <<< "$names") functions of version $versions"
exit $status
