# shellcheck shell=bash
# What ./deblur and ./test share: finding the .NET SDK, installing Debian packages, building. Sourced, not run.
#
# Every start goes through here, so checks are cheap (files, no package database) and print nothing when all is well.
# Messages go to stderr: stdout belongs to the program, and so does stdin.
#
# The caller sets $root to the top of the checkout. DEBLUR_NO_APT=1 never installs packages; what
# is missing is only named.

: "${root:?}"

say() { printf '%s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# Where a .NET SDK may be: what the user says, the one on the path, and where the installers put it.
dotnet_places=("${DOTNET_ROOT:-}" "$(readlink -f "$(command -v dotnet)" 2> /dev/null || true)" "${HOME:-}/.dotnet" /usr/share/dotnet /usr/lib/dotnet)

# Sets DOTNET_ROOT to an installation with a .NET 10 SDK.
find_dotnet() {
    local candidate sdk
    for candidate in "${dotnet_places[@]}"; do
        [[ -n $candidate && -f $candidate ]] && candidate=${candidate%/*}
        for sdk in "$candidate"/sdk/10.*/; do
            [[ -n $candidate && -x $candidate/dotnet && -d $sdk ]] || continue
            export DOTNET_ROOT=$candidate DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1
            return
        done
    done
    die "The .NET 10 SDK is missing. Install it with 'curl -sSL https://dot.net/v1/dotnet-install.sh | bash -s -- --channel 10.0' (it goes to ~/.dotnet), then try again."
}

# Whether an OpenCL driver is registered whose library exists. NVIDIA's library without its kernel driver, as in containers, is none.
has_opencl_driver() {
    local icd library
    for icd in "${OCL_ICD_VENDORS:-/etc/OpenCL/vendors}"/*.icd; do
        library=
        [[ ! -r $icd ]] || read -r library < "$icd" || true
        [[ -n $library ]] || continue
        [[ $library == *nvidia* && ! -e /dev/nvidiactl && ! -e /dev/dxg ]] && continue
        [[ -e $library ]] && return
        # The file may name a full version (libpocl.so.2.10.0) where the linker's list has the short one (libpocl.so.2).
        library=${library##*/}
        [[ $libraries == *"${library%%.so*}.so"* ]] && return
    done
    return 1
}

# Whether an OpenGL driver is there: Mesa's, which also draws in software, or NVIDIA's.
has_opengl_driver() {
    local driver
    for driver in /usr/lib/*/dri/*_dri.so /usr/lib{,64}/dri/*_dri.so /usr/lib{,64,/*}/{libGLX_nvidia.so.0,libgallium-*.so}; do
        [[ -e $driver ]] && return
    done
    return 1
}

# Whether there is a TrueType font where the window looks for one.
has_font() {
    local font
    for font in /usr/share/fonts/truetype/*/*.ttf /usr/share/fonts/*/*.ttf /usr/share/fonts/*.ttf "${HOME:-}"/.local/share/fonts/*.ttf; do
        [[ -e $font ]] && return
    done
    return 1
}

# PoCL offers no device where it cannot write compiled kernels, which it does below the home folder. Services and build users often have none.
keep_pocl_working() {
    [[ -w ${HOME:-} || -n ${POCL_CACHE_DIR:-} || -n ${XDG_CACHE_HOME:-} ]] || export POCL_CACHE_DIR="${TMPDIR:-/tmp}/pocl-$EUID"
}

# Installs the packages that are missing. Arguments: further commands, or files by their whole path, that must exist, as COMMAND:PACKAGE:REASON.
# shellcheck disable=SC2120 # ./deblur needs nothing further.
install_packages() {
    local libraries packages=() reasons=() need command package reason
    libraries=$(/sbin/ldconfig -p)
    missing() { packages+=("$1"); reasons+=("  $1: $2"); }

    [[ $libraries == *libOpenCL.so.1* ]] || missing ocl-icd-libopencl1 "the OpenCL loader"
    has_opencl_driver || missing pocl-opencl-icd "OpenCL on the CPU, as there is no other OpenCL driver"
    [[ $libraries == *libgtk-3.so.0* ]] || missing libgtk-3-0 "OpenCV links it, even without a window"
    [[ $libraries == *libglfw.so.3* ]] || missing libglfw3 "the window of deblur live"
    [[ $libraries == *libGL.so.1* ]] || missing libgl1 "OpenGL, for the window of deblur live"
    has_opengl_driver || missing libgl1-mesa-dri "an OpenGL driver, for the window of deblur live"
    has_font || missing fonts-dejavu-core "a font for the text in the window of deblur live"
    for need in "ffmpeg:ffmpeg:reads and writes video files" "$@"; do
        IFS=: read -r command package reason <<< "$need"
        [[ $command == /* && -e $command ]] || command -v "$command" > /dev/null || missing "$package" "$reason"
    done
    [[ ${#packages[@]} -eq 0 ]] || apt_install
}

# Installs ${packages[@]} or says why not. A package that stays missing is no reason to stop: the program says so when it needs it.
apt_install() {
    local as_root=(env) log
    if ! command -v apt-get > /dev/null; then
        say "Missing here, and this is no Debian to install it on: ${packages[*]}"
        return
    elif [[ -n ${DEBLUR_NO_APT:-} ]]; then
        say "Missing (DEBLUR_NO_APT is set, so nothing is installed): ${packages[*]}"
        return
    elif [[ $EUID -ne 0 ]]; then
        if ! command -v sudo > /dev/null; then
            say "Missing, and installing needs root: apt-get install ${packages[*]}"
            return
        fi
        # Where nobody can type a password, sudo fails instead of waiting for one.
        if [[ -t 0 ]]; then as_root=(sudo env); else as_root=(sudo -n env); fi
    fi

    say "Installing Debian packages:"
    printf '%s\n' "${reasons[@]}" >&2
    log=$(mktemp)
    apt_get() { "${as_root[@]}" DEBIAN_FRONTEND=noninteractive apt-get -y -q -o DPkg::Lock::Timeout=300 "$@" >> "$log" 2>&1 < /dev/null; }
    install() { compgen -G '/var/lib/apt/lists/*_Packages*' > /dev/null && apt_get install --no-install-recommends "${packages[@]}"; }
    # Without package lists, or with lists so old that the files they name are gone, the second try succeeds.
    if ! install && ! { apt_get update && install; }; then
        tail -n 5 "$log" >&2
        say "Could not install them. Try: sudo apt-get update && sudo apt-get install ${packages[*]}"
    fi
    rm -f "$log"
}

# Prints one file or folder of $sources that is newer than FILE, if there is any. Folders tell of deleted files.
newer_source() {
    find "${sources[@]}" \( -name bin -o -name obj \) -prune -o "${@:2}" -newer "$1" -print -quit 2> /dev/null
}

# Builds PROJECT, which makes PROGRAM, unless nothing among SOURCES... has changed since. Of several starts at once, one builds and the others wait.
build() {
    local project=$1 program=$root/$2 sources=("${@:3}") stamp lock log started
    sources=("${sources[@]/#/$root/}" "$root"/{Directory.Build.props,Directory.Packages.props,global.json})
    stamp=$root/artifacts/${project##*/}.stamp
    is_stale() { [[ ! -e $stamp || ! -e $program || -n $(newer_source "$stamp") ]]; }
    is_stale || return 0

    if ! mkdir -p "$root/artifacts" 2> /dev/null || ! [[ -w $root/artifacts && -w $root/src ]]; then
        die "$root has to be built first, but cannot be written to. Copy it to a folder of your own and start it there."
    fi
    exec {lock}> "$root/artifacts/build.lock"
    flock "$lock"
    if is_stale; then
        say "Building ${project##*/} (the first time takes about a minute) ..."
        log=$root/artifacts/build.log
        started=$root/artifacts/build.started
        : > "$started"
        # The compiler needs no ICU library, and a fresh machine may have none.
        if ! DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1 "$DOTNET_ROOT/dotnet" build "$root/$project" -c Release --nologo -v quiet --disable-build-servers > "$log" 2>&1 < /dev/null; then
            { grep -E 'error|warning' "$log" || cat "$log"; } | sort -u | head -n 20 >&2
            die "The build failed. The whole output is in $log"
        fi
        # The build makes folders itself, so the stamp is later than they are; unless a file was saved meanwhile, which the build may have missed.
        [[ -n $(newer_source "$started" -type f) ]] || : > "$started"
        mv "$started" "$stamp"
    fi
    exec {lock}>&-
}
