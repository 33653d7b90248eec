/* Restores one picture: first soft.ppm sharp.ppm [MODEL [SIGMA]]
 * MODEL is the name of one that ships or a .safetensors file; without SIGMA the blur is estimated. PPM is the simplest of formats: a line of text, then R, G, B of every pixel. */
#include <realtimedeblur.h>
#include <stdio.h>
#include <stdlib.h>

static int fail(const char *what, const char *why) {
    fprintf(stderr, "%s: %s\n", what, why);
    return 1;
}

int main(int argc, char **argv) {
    if (argc < 3) return fail("usage", "first soft.ppm sharp.ppm [MODEL [SIGMA]]");
    const char *model = argc > 3 ? argv[3] : NULL; /* NULL: what suits real pictures */

    FILE *file = fopen(argv[1], "rb");
    if (!file) return fail(argv[1], "cannot be opened");
    rtd_format format = { RTD_RGB24, 0, 0, RTD_RANGE_FULL };
    size_t row_bytes, rows;
    if (fscanf(file, "P6 %d %d 255", &format.width, &format.height) != 2 || fgetc(file) == EOF) return fail(argv[1], "is no PPM picture (P6, 255, no comments)");
    if (rtd_plane_size(&format, 0, &row_bytes, &rows) != RTD_OK) return fail(argv[1], rtd_last_error());
    unsigned char *pixels = malloc(row_bytes * rows);
    if (!pixels || fread(pixels, row_bytes, rows, file) != rows) return fail(argv[1], "is too short");
    fclose(file);

    rtd_deblurrer *deblurrer;
    if (rtd_create(model, NULL, &format, &deblurrer) != RTD_OK) return fail("create", rtd_last_error());
    if (argc > 4 && rtd_set_sigma(deblurrer, (float)atof(argv[4])) != RTD_OK) return fail(argv[4], rtd_last_error());

    rtd_picture picture = { { pixels }, { row_bytes } };
    if (rtd_process(deblurrer, &picture, &picture) != RTD_OK) return fail("process", rtd_last_error());
    rtd_destroy(deblurrer);

    file = fopen(argv[2], "wb");
    if (!file || fprintf(file, "P6\n%d %d\n255\n", format.width, format.height) < 0 || fwrite(pixels, row_bytes, rows, file) != rows || fclose(file)) return fail(argv[2], "cannot be written");
    free(pixels);
    return 0;
}
