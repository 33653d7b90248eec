#!/usr/bin/env python3
"""Restores one picture, with the library and Python's own modules only: restore.py soft.ppm sharp.ppm [--model NAME] [--sigma SIGMA]

The class Deblurrer below is all that another program needs: it takes and gives rows of bytes. numpy arrays work as well, through their buffer.
The library is searched for where the system's loader looks; REALTIMEDEBLUR_LIBRARY names another file.
"""

import argparse
import ctypes
import os
import sys
from ctypes import POINTER, byref, c_char_p, c_float, c_int, c_int32, c_size_t, c_void_p

# Pixel formats and ranges of realtimedeblur.h.
(GRAY8, GRAY10, YUV420P8, YUV422P8, YUV444P8, YUV420P10, YUV422P10, YUV444P10,
 NV12, P010, RGB24, BGR24, RGBA32, BGRA32, RGB48) = range(15)
RANGE_LIMITED, RANGE_FULL = 0, 1
SIGMA_AUTO, SIGMA_OFF = -1.0, -2.0
MAX_PLANES = 3


class Format(ctypes.Structure):
    _fields_ = [("pixels", c_int32), ("width", c_int32), ("height", c_int32), ("range", c_int32)]


class Picture(ctypes.Structure):
    _fields_ = [("plane", c_void_p * MAX_PLANES), ("stride_bytes", c_size_t * MAX_PLANES)]


class DeblurError(Exception):
    """A call failed. status is one of the header's RTD_ERROR_ values, the text says what to do."""

    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


def load_library():
    """Loads the library and declares the functions that are used here: without types, ctypes would cut 64-bit handles to 32 bits."""
    library = ctypes.CDLL(os.environ.get("REALTIMEDEBLUR_LIBRARY", "librealtimedeblur.so.0"))
    status, handle = c_int, c_void_p
    declarations = {
        "rtd_version": (c_char_p, []),
        "rtd_last_error": (c_char_p, []),
        "rtd_plane_size": (status, [POINTER(Format), c_int, POINTER(c_size_t), POINTER(c_size_t)]),
        "rtd_create": (status, [c_char_p, c_char_p, POINTER(Format), POINTER(handle)]),
        "rtd_destroy": (status, [handle]),
        "rtd_process": (status, [handle, POINTER(Picture), POINTER(Picture)]),
        "rtd_submit": (status, [handle, POINTER(Picture)]),
        "rtd_collect": (status, [handle, POINTER(Picture)]),
        "rtd_in_flight": (status, [handle]),
        "rtd_last_sigma": (status, [handle, POINTER(c_float), POINTER(c_int)]),
        "rtd_set_strength": (status, [handle, c_float]),
        "rtd_set_sigma": (status, [handle, c_float]),
        "rtd_set_guard": (status, [handle, c_int]),
    }
    for name, (result, arguments) in declarations.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


library = load_library()


def check(status):
    """Gives a count or 0 back, and raises what the library says for a negative status."""
    if status < 0:
        raise DeblurError(status, library.rtd_last_error().decode())
    return status


class Deblurrer:
    """Restores pictures of one format.

        with Deblurrer(RGB24, width, height) as deblurrer:
            deblurrer.process(pixels)          # a bytearray: the planes without gaps, one after another

    Calls release Python's lock, so several threads, each with its own Deblurrer, work at the same time.
    """

    def __init__(self, pixels, width, height, value_range=RANGE_FULL, model=None, device=None):
        self._handle = c_void_p()
        self._format = Format(pixels, width, height, value_range)
        self._planes = []                      # (offset, bytes of a row)
        self.size_bytes = 0
        row_bytes, rows = c_size_t(), c_size_t()
        for plane in range(MAX_PLANES):
            if library.rtd_plane_size(byref(self._format), plane, byref(row_bytes), byref(rows)) < 0:
                break
            self._planes.append((self.size_bytes, row_bytes.value))
            self.size_bytes += row_bytes.value * rows.value
        check(library.rtd_create(model and os.fsencode(model), device and device.encode(), byref(self._format), byref(self._handle)))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Ends the deblurrer; does nothing the second time."""
        handle, self._handle = self._handle, c_void_p()
        check(library.rtd_destroy(handle))

    def process(self, picture):
        """Restores a picture in place and waits for it."""
        view = self._view(picture)
        check(library.rtd_process(self._handle, byref(view), byref(view)))

    def submit(self, picture):
        """Hands over the next picture of a video; up to three may be under way. It is copied."""
        check(library.rtd_submit(self._handle, byref(self._view(picture))))

    def collect(self, picture):
        """Waits for the oldest picture under way and writes it into picture."""
        check(library.rtd_collect(self._handle, byref(self._view(picture))))

    @property
    def in_flight(self):
        return check(library.rtd_in_flight(self._handle))

    @property
    def last_sigma(self):
        """Blur that the last picture was restored for, in pixels, and whether it was sharp and passed unchanged."""
        sigma, unchanged = c_float(), c_int()
        check(library.rtd_last_sigma(self._handle, byref(sigma), byref(unchanged)))
        return sigma.value, bool(unchanged.value)

    def set_strength(self, strength):
        check(library.rtd_set_strength(self._handle, strength))

    def set_sigma(self, sigma):
        check(library.rtd_set_sigma(self._handle, sigma))

    def set_guard(self, guard):
        check(library.rtd_set_guard(self._handle, int(guard)))

    def _view(self, picture):
        buffer = (ctypes.c_char * self.size_bytes).from_buffer(picture)    # refuses what is too small or cannot be written
        address = ctypes.addressof(buffer)
        view = Picture()
        view.buffer = buffer                   # keeps the memory where it is until the call is over
        for i, (offset, row_bytes) in enumerate(self._planes):
            view.plane[i], view.stride_bytes[i] = address + offset, row_bytes
        return view


def read_ppm(path):
    with open(path, "rb") as file:
        words = []
        while len(words) < 4:
            line = file.readline()
            if not line:
                raise ValueError(f"{path} is no PPM picture")
            words += line.split(b"#")[0].split()
        if words[0] != b"P6" or words[3] != b"255":
            raise ValueError(f"{path} is no PPM picture of 8 bits")
        width, height = int(words[1]), int(words[2])
        pixels = bytearray(file.read(width * height * 3))
    if len(pixels) != width * height * 3:
        raise ValueError(f"{path} is too short")
    return width, height, pixels


def write_ppm(path, width, height, pixels):
    with open(path, "wb") as file:
        file.write(b"P6\n%d %d\n255\n" % (width, height))
        file.write(pixels)


def main():
    parser = argparse.ArgumentParser(description="Restores one PPM picture.")
    parser.add_argument("input")
    parser.add_argument("output")
    parser.add_argument("--model", help="name of a model that ships, or a .safetensors file")
    parser.add_argument("--device", help="number or part of the name; the first if not given")
    parser.add_argument("--sigma", type=float, default=SIGMA_AUTO, help="blur in pixels; estimated if not given")
    arguments = parser.parse_args()
    try:
        width, height, pixels = read_ppm(arguments.input)
        with Deblurrer(RGB24, width, height, model=arguments.model, device=arguments.device) as deblurrer:
            deblurrer.set_sigma(arguments.sigma)
            deblurrer.process(pixels)
            sigma, unchanged = deblurrer.last_sigma
        write_ppm(arguments.output, width, height, pixels)
    except (DeblurError, OSError, ValueError) as error:
        sys.exit(f"restore.py: {error}")
    print(f"{arguments.output}: {width}x{height}, " + ("found to be sharp" if unchanged else f"restored for sigma {sigma:.2f}"))


if __name__ == "__main__":
    main()
