#!/usr/bin/env bash
# Installs the library into a folder whose name has a blank, moves that folder, and builds programs with what lies there: by find_package, and by pkg-config, as one line.
#
#   package.sh BUILD SOURCE VERSION
set -euo pipefail
build=$1 source=$2 version=$3
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
die() { echo "package: $*" >&2; exit 1; }

DESTDIR='' cmake --install "$build" --prefix "$folder/first place" > "$folder/log" || die "$(cat "$folder/log")"
prefix="$folder/another place"
mv "$folder/first place" "$prefix"

expected="include/realtimedeblur.h
lib/cmake/RealtimeDeblur/RealtimeDeblurConfig.cmake
lib/cmake/RealtimeDeblur/RealtimeDeblurConfigVersion.cmake
lib/frei0r-1/realtimedeblur.so
lib/librealtimedeblur.so
lib/librealtimedeblur.so.0
lib/librealtimedeblur.so.$version
lib/pkgconfig/realtimedeblur.pc"
# The element for GStreamer is there only where its headers are.
found=$(cd "$prefix" && find . ! -type d ! -path './lib/gstreamer-1.0/*' -printf '%P\n' | LC_ALL=C sort)
[[ $found == "$expected" ]] || die "installed is: $found"
for link in librealtimedeblur.so librealtimedeblur.so.0 frei0r-1/realtimedeblur.so; do
    [[ -L $prefix/lib/$link && $(readlink -f "$prefix/lib/$link") == "$prefix/lib/librealtimedeblur.so.$version" ]] || die "$link does not lead to the library"
done
! grep -rqIF -e "$build" -e "$source" -e "$folder/first place" "$prefix" || die "installed files name folders of the build"

"$(dirname "$0")/soft_picture.sh" > "$folder/soft.ppm"
restore() { "$1" "$folder/soft.ppm" "$folder/sharp-$2.ppm" tiny-camera; }

# find_package: CMake gives the program the library's place.
for wanted in 0.1 99; do
    cmake -S "$source/tests/native/package" -B "$folder/by cmake $wanted" -DCMAKE_PREFIX_PATH="$prefix" -DWANTED=$wanted -DSAMPLE="$source/samples/c/first.c" > "$folder/log" 2>&1 && status=0 || status=$?
    [[ $wanted == 0.1 || $status -ne 0 ]] || die "version $wanted was found, too"
    [[ $wanted != 0.1 || $status -eq 0 ]] || die "$(cat "$folder/log")"
done
cmake --build "$folder/by cmake 0.1" > "$folder/log" 2>&1 || die "$(cat "$folder/log")"
restore "$folder/by cmake 0.1/first" cmake

# pkg-config: one line for each sample. It writes blanks with a backslash, which only eval understands; without blanks $(pkg-config ...) alone does.
export PKG_CONFIG_PATH="$prefix/lib/pkgconfig"
[[ $(pkg-config --modversion realtimedeblur) == "$version" ]] || die "pkg-config says version $(pkg-config --modversion realtimedeblur)"
for sample in first pipe threads; do
    eval "cc -Wall -Werror '$source/samples/c/$sample.c' -o '$folder/$sample' $(pkg-config --cflags --libs realtimedeblur)" || die "$sample.c does not build with pkg-config"
done
ln -s "$prefix" "$folder/plain"
PKG_CONFIG_PATH=$folder/plain/lib/pkgconfig
# shellcheck disable=SC2046 # words of a command line
cc "$source/samples/c/first.c" -o "$folder/first" $(pkg-config --cflags --libs realtimedeblur) || die "first.c does not build without eval"
LD_LIBRARY_PATH=$prefix/lib restore "$folder/first" pkg-config
cmp "$folder/sharp-cmake.ppm" "$folder/sharp-pkg-config.ppm" || die "the two programs give different pictures"
! cmp -s "$folder/soft.ppm" "$folder/sharp-cmake.ppm" || die "nothing was restored"
echo "package: installed, moved, and found by CMake and pkg-config"
