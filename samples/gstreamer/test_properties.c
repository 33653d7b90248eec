/* Turns the element's properties while pictures flow, and looks at each picture that comes out. Needs GST_PLUGIN_PATH and an OpenCL device. */
#include <gst/gst.h>
#include <string.h>

#define CHECK(condition) do { if (!(condition)) { g_printerr("%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); ok = FALSE; } } while (0)
#define PICTURES 12

static gboolean ok = TRUE;
static int pictures;
static GstElement *deblur;
static guint8 first[160 * 120 * 3 / 2], before[160 * 120 * 3 / 2];

/* The source shows the same still picture for ever. */
static void before_element(GstElement *identity, GstBuffer *buffer, gpointer user) {
    (void)identity, (void)user;
    CHECK(gst_buffer_get_size(buffer) == sizeof before);
    gst_buffer_extract(buffer, 0, before, sizeof before);
}

static void after_element(GstElement *sink, GstBuffer *buffer, GstPad *pad, gpointer user) {
    guint8 picture[sizeof before];
    float sigma;
    (void)sink, (void)pad, (void)user;

    gst_buffer_extract(buffer, 0, picture, sizeof picture);
    g_object_get(deblur, "last-sigma", &sigma, NULL);
    switch (pictures++) {
    case 0:    /* sigma=1.5 strength=1 */
        memcpy(first, picture, sizeof first);
        CHECK(memcmp(picture, before, sizeof picture) != 0);
        CHECK(sigma == 1.5f);
        g_object_set(deblur, "strength", 0.0f, NULL);
        break;
    case 1:
        CHECK(memcmp(picture, before, sizeof picture) == 0);
        g_object_set(deblur, "strength", 1.0f, "sigma", 2.5f, NULL);
        break;
    case 2:
        CHECK(memcmp(picture, first, sizeof picture) != 0);
        CHECK(sigma == 2.5f);
        g_object_set(deblur, "sigma", 1.5f, "model", "tiny", NULL);
        break;
    case 3:
        CHECK(memcmp(picture, first, sizeof picture) != 0);
        g_object_set(deblur, "model", "tiny-camera", NULL);
        break;
    case 4:
        CHECK(memcmp(picture, first, sizeof picture) == 0);
        g_object_set(deblur, "sigma", 3.5f, NULL);
        break;
    case 5:    /* far more blur than there is, which the guard notices */
        memcpy(first, picture, sizeof first);
        g_object_set(deblur, "guard", FALSE, NULL);
        break;
    case 6:
        CHECK(memcmp(picture, first, sizeof picture) != 0);
        break;
    }
}

/* Plays until the end or an error, which is returned. */
static GError *play(GstElement *pipeline) {
    GstBus *bus = gst_element_get_bus(pipeline);
    GstMessage *message;
    GError *error = NULL;

    gst_element_set_state(pipeline, GST_STATE_PLAYING);
    message = gst_bus_timed_pop_filtered(bus, 120 * GST_SECOND, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
    CHECK(message);
    if (message && GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) gst_message_parse_error(message, &error, NULL);
    if (message) gst_message_unref(message);
    gst_element_set_state(pipeline, GST_STATE_NULL);
    gst_object_unref(bus);
    return error;
}

int main(int argc, char **argv) {
    GstElement *pipeline, *element;
    GError *error = NULL;
    float sigma;

    gst_init(&argc, &argv);
    pipeline = gst_parse_launch("videotestsrc pattern=smpte75 num-buffers=12 ! video/x-raw,width=53,height=40 ! videoscale ! video/x-raw,format=I420,width=160,height=120 ! identity name=before signal-handoffs=true"
        " ! realtimedeblur name=deblur model=tiny-camera sigma=1.5 ! fakesink name=after signal-handoffs=true", &error);
    if (!pipeline || error) {
        g_printerr("%s\n", error ? error->message : "no pipeline");
        return 1;
    }
    deblur = gst_bin_get_by_name(GST_BIN(pipeline), "deblur");
    g_object_get(deblur, "last-sigma", &sigma, NULL);
    CHECK(sigma < 0);
    element = gst_bin_get_by_name(GST_BIN(pipeline), "before");
    g_signal_connect(element, "handoff", G_CALLBACK(before_element), NULL);
    gst_object_unref(element);
    element = gst_bin_get_by_name(GST_BIN(pipeline), "after");
    g_signal_connect(element, "handoff", G_CALLBACK(after_element), NULL);
    gst_object_unref(element);

    CHECK(play(pipeline) == NULL);
    CHECK(pictures == PICTURES);

    /* Once more from the beginning, now with a model that is not there. */
    g_object_set(deblur, "model", "nosuch", NULL);
    error = play(pipeline);
    CHECK(error && g_error_matches(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND) && strstr(error->message, "There is no model 'nosuch'"));
    g_clear_error(&error);
    CHECK(pictures == PICTURES);

    /* And with one that is. "" is the default. */
    g_object_set(deblur, "model", "", "device", "", NULL);
    CHECK(play(pipeline) == NULL);
    CHECK(pictures == 2 * PICTURES);

    gst_object_unref(deblur);
    gst_object_unref(pipeline);
    return ok ? 0 : 1;
}
