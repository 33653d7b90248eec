#!/usr/bin/env bash
# Runs the samples, with good input and with bad.
#
#   samples.sh c BUILD         samples/c
#   samples.sh python BUILD SOURCE    samples/python, compared with samples/c/first.c
set -euo pipefail
build=$(readlink -f "$2") here=$(readlink -f "$(dirname "$0")") source=$(readlink -f "${3:-.}")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
die() { echo "samples: $*" >&2; exit 1; }
# fails WORDS COMMAND...: the command ends with 1 or 2 and one line on stderr that has these words.
fails() {
    local words=$1 status=0
    shift
    "$@" > out 2> err || status=$?
    [[ $status -eq 1 || $status -eq 2 ]] || die "$* ended with $status"
    [[ $(wc -l < err) -eq 1 && $(cat err) == *"$words"* ]] || die "$* said: $(cat err)"
}

"$here/soft_picture.sh" > soft.ppm
first=$build/samples/first pipe=$build/samples/pipe threads=$build/samples/threads
if ! "$first" soft.ppm sharp.ppm tiny-camera 2> err; then
    [[ $(cat err) != *"no OpenCL"* ]] || { cat err; exit 77; }
    die "first: $(cat err)"
fi
"$first" soft.ppm given.ppm tiny-camera 1.5

if [[ $1 == python ]]; then
    command -v python3 > /dev/null || { echo "There is no python3 on this machine."; exit 77; }
    export REALTIMEDEBLUR_LIBRARY=$build/lib/librealtimedeblur.so.0
    python=(python3 "$source/samples/python/restore.py")
    "${python[@]}" soft.ppm again.ppm --model tiny-camera > out
    cmp sharp.ppm again.ppm || die "restore.py gives another picture than first.c"
    [[ $(cat out) == "again.ppm: 96x64, restored for sigma "* ]] || die "restore.py said: $(cat out)"
    "${python[@]}" soft.ppm again.ppm --model tiny-camera --device 0 --sigma 1.5 > out
    cmp given.ppm again.ppm || die "restore.py gives another picture than first.c with sigma 1.5"
    fails "no-such-model" "${python[@]}" soft.ppm out.ppm --model no-such-model
    fails "99" "${python[@]}" soft.ppm out.ppm --device 99
    fails "igma" "${python[@]}" soft.ppm out.ppm --sigma 9
    fails "nonexistent.ppm" "${python[@]}" nonexistent.ppm out.ppm
    python3 -B - "$source/samples/python" << 'END'
import sys
sys.path.insert(0, sys.argv[1])
from restore import *
with Deblurrer(YUV420P8, 33, 17, RANGE_LIMITED, "tiny-camera") as deblurrer:
    deblurrer.set_sigma(1.5)
    deblurrer.set_strength(0.8)
    deblurrer.set_guard(False)
    video = [bytearray((i * 7 + n) % 200 for i in range(deblurrer.size_bytes)) for n in range(3)]
    alone = [bytearray(picture) for picture in video]
    assert deblurrer.size_bytes == 33 * 17 + 2 * 17 * 9, deblurrer.size_bytes
    for picture in alone: deblurrer.process(picture)
    for picture in video: deblurrer.submit(picture)
    assert deblurrer.in_flight == 3
    try:
        deblurrer.submit(video[0])
        raise AssertionError("a fourth picture went in")
    except DeblurError as error:
        assert error.status == -6, error
    for picture in video: deblurrer.collect(picture)
    assert video == alone and deblurrer.in_flight == 0
    assert abs(deblurrer.last_sigma[0] - 1.5) < 1e-6
    for wrong, kind in ((bytes(10), TypeError), (bytearray(10), ValueError)):
        try:
            deblurrer.process(wrong)
            raise AssertionError("a picture that is too small or cannot be written was taken")
        except kind: pass
deblurrer.close()
try:
    deblurrer.process(video[0])
    raise AssertionError("a closed deblurrer worked")
except DeblurError as error:
    assert error.status == -2, error
END
    echo "samples: restore.py gives what first.c gives"
    exit
fi

! cmp -s soft.ppm sharp.ppm || die "first restored nothing"
! cmp -s sharp.ppm given.ppm || die "first ignores sigma"
fails "nonexistent" "$first" /nonexistent.ppm out.ppm
fails "PPM" "$first" "$here/samples.sh" out.ppm
fails "cannot be written" "$first" soft.ppm /nonexistent/out.ppm tiny-camera
fails "no-such-model" "$first" soft.ppm out.ppm no-such-model
fails "igma" "$first" soft.ppm out.ppm tiny-camera 9
head -c 1000 soft.ppm > short.ppm
fails "too short" "$first" short.ppm out.ppm
fails "usage" "$first"

# Frames for the pipe: any bytes will do.
size=$((37 * 23 + 2 * 19 * 12))
head -c $((size * 7)) "$build/lib/librealtimedeblur.so" > in.yuv
"$pipe" 37 23 yuv420p tiny-camera < in.yuv > out.yuv
[[ $(stat -c %s out.yuv) -eq $((size * 7)) ]] || die "pipe made $(stat -c %s out.yuv) bytes of $((size * 7))"
for frame in {0..6}; do cmp -i $((frame * size + 37 * 23)) -n $((2 * 19 * 12)) in.yuv out.yuv || die "pipe changed the chroma of frame $frame, or their order"; done
tail -c $((96 * 64 * 3)) soft.ppm > soft.rgb
"$pipe" 96 64 rgb24 tiny-camera < soft.rgb | cmp - <(tail -c $((96 * 64 * 3)) sharp.ppm) || die "pipe restores another picture than first"
{ head -c 100; sleep 0.1; head -c $((size * 2)); sleep 0.1; cat; } < in.yuv | "$pipe" 37 23 yuv420p tiny-camera | cmp - out.yuv || die "pipe depends on how its input comes in portions"
for count in 1 2 3; do head -c $((size * count)) in.yuv | "$pipe" 37 23 yuv420p tiny-camera | cmp -n $((size * count)) - out.yuv || die "pipe fails for $count frames"; done
[[ $("$pipe" 37 23 yuv420p tiny-camera < /dev/null | wc -c) -eq 0 ]] || die "pipe made something of nothing"
head -c $((size * 4 - 1)) in.yuv > cut.yuv
fails "middle of a frame" "$pipe" 37 23 yuv420p tiny-camera < cut.yuv
[[ $(stat -c %s out) -eq $((size * 3)) ]] || die "pipe wrote $(stat -c %s out) bytes of three whole frames"
fails "37x0" "$pipe" 37 0 yuv420p < /dev/null
fails "yuv411p" "$pipe" 37 23 yuv411p < /dev/null
fails "no-such-model" "$pipe" 37 23 nv12 no-such-model < /dev/null
fails "usage" "$pipe"
if [[ -e /dev/full ]]; then
    "$pipe" 37 23 yuv420p tiny-camera < in.yuv > /dev/full 2> err && die "pipe did not notice a full disk"
    [[ $(cat err) == *"standard output"* ]] || die "pipe said of a full disk: $(cat err)"
fi
# The reader goes away; the input would never end.
set +o pipefail
timeout 60 "$pipe" 37 23 yuv420p tiny-camera < /dev/zero 2> err | head -c 5000 > out
[[ ${PIPESTATUS[0]} -eq 0 && ! -s err ]] || die "pipe without a reader: $(cat err)"
set -o pipefail

"$threads" 3 12 160 120 > out || die "threads: $(cat out)"
[[ $(grep -c "the same as alone" out) -eq 3 && $(tail -n 1 out) == *"36 pictures of 160x120: "*" pictures/s"* ]] || die "threads said: $(cat out)"
fails "usage" "$threads" 0
echo "samples: first, pipe and threads do what they say"
