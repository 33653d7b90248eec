/*
 * realtimedeblur: a GStreamer element on the C interface. It restores pictures in place, in their own layout, so that 4:2:0 and 10 bits come out as they went in:
 *
 *     gst-launch-1.0 filesrc location=in.mp4 ! decodebin ! realtimedeblur strength=0.8 ! x264enc ! mp4mux ! filesink location=out.mp4
 *
 * Every buffer is handed over and waited for: one goes out for each that comes in, with no latency but the computation. As in a film, the blur is followed from picture to picture.
 */
#include <gst/gst.h>
#include <gst/video/gstvideofilter.h>
#include <gst/video/video.h>

#include "realtimedeblur.h"

GST_DEBUG_CATEGORY_STATIC(deblur_debug);
#define GST_CAT_DEFAULT deblur_debug

/* Layouts that both sides have. A fourth byte that is no colour passes unchanged, so it may be alpha or nothing. */
static const struct {
    GstVideoFormat gst;
    int rtd;
} layouts[] = {
    { GST_VIDEO_FORMAT_I420, RTD_YUV420P8 },
    { GST_VIDEO_FORMAT_NV12, RTD_NV12 },
    { GST_VIDEO_FORMAT_Y42B, RTD_YUV422P8 },
    { GST_VIDEO_FORMAT_Y444, RTD_YUV444P8 },
    { GST_VIDEO_FORMAT_I420_10LE, RTD_YUV420P10 },
    { GST_VIDEO_FORMAT_P010_10LE, RTD_P010 },
    { GST_VIDEO_FORMAT_I422_10LE, RTD_YUV422P10 },
    { GST_VIDEO_FORMAT_Y444_10LE, RTD_YUV444P10 },
    { GST_VIDEO_FORMAT_GRAY8, RTD_GRAY8 },
    { GST_VIDEO_FORMAT_RGB, RTD_RGB24 },
    { GST_VIDEO_FORMAT_BGR, RTD_BGR24 },
    { GST_VIDEO_FORMAT_RGBA, RTD_RGBA32 },
    { GST_VIDEO_FORMAT_RGBx, RTD_RGBA32 },
    { GST_VIDEO_FORMAT_BGRA, RTD_BGRA32 },
    { GST_VIDEO_FORMAT_BGRx, RTD_BGRA32 },
};

#define DEFAULT_MODEL "fast-camera"
#define DEFAULT_STRENGTH 1.0f
#define MAX_SIGMA 4.0f

typedef struct {
    float strength, sigma;
    gboolean guard;
} Options;

typedef struct {
    GstVideoFilter parent;

    /* Of the streaming thread: NULL before the first picture of a format. */
    rtd_deblurrer *deblurrer;
    rtd_format format;

    /* Set and read by any thread, under the object's lock. */
    Options options;
    char *model, *device;    /* device is NULL for the first */
    gboolean is_stale;       /* model or device changed: the deblurrer is another */
    float last_sigma;
} RealtimeDeblur;

typedef struct {
    GstVideoFilterClass parent;
} RealtimeDeblurClass;

enum { PROP_STRENGTH = 1, PROP_SIGMA, PROP_MODEL, PROP_DEVICE, PROP_GUARD, PROP_LAST_SIGMA };

GType realtime_deblur_get_type(void);
G_DEFINE_TYPE(RealtimeDeblur, realtime_deblur, GST_TYPE_VIDEO_FILTER)
#define REALTIME_DEBLUR(object) ((RealtimeDeblur *)(object))

/* Tells the pipeline what the library says of its last failure. */
static void post_error(RealtimeDeblur *self, int status) {
    if (status == RTD_ERROR_MODEL)
        GST_ELEMENT_ERROR(self, RESOURCE, NOT_FOUND, ("%s", rtd_last_error()), ("status %d", status));
    else if (status == RTD_ERROR_DEVICE)
        GST_ELEMENT_ERROR(self, RESOURCE, FAILED, ("%s", rtd_last_error()), ("status %d", status));
    else
        GST_ELEMENT_ERROR(self, LIBRARY, FAILED, ("%s", rtd_last_error()), ("status %d", status));
}

static void close_deblurrer(RealtimeDeblur *self) {
    rtd_destroy(self->deblurrer);
    self->deblurrer = NULL;
}

/* Makes the deblurrer that model, device and format ask for, if it is not there already. */
static int open_deblurrer(RealtimeDeblur *self) {
    char *model, *device;
    int status;

    GST_OBJECT_LOCK(self);
    if (self->deblurrer && !self->is_stale) {
        GST_OBJECT_UNLOCK(self);
        return RTD_OK;
    }
    self->is_stale = FALSE;
    model = g_strdup(self->model);
    device = g_strdup(self->device);
    GST_OBJECT_UNLOCK(self);

    close_deblurrer(self);
    status = rtd_create(model, device, &self->format, &self->deblurrer);
    if (status == RTD_OK) GST_INFO_OBJECT(self, "restoring %dx%d with %s", self->format.width, self->format.height, model);
    g_free(model);
    g_free(device);
    return status;
}

static int restore(RealtimeDeblur *self, const rtd_picture *picture) {
    Options options;
    int status = open_deblurrer(self);

    GST_OBJECT_LOCK(self);
    options = self->options;
    GST_OBJECT_UNLOCK(self);
    if (status == RTD_OK) status = rtd_set_strength(self->deblurrer, options.strength);
    if (status == RTD_OK) status = rtd_set_sigma(self->deblurrer, options.sigma < 0 ? RTD_SIGMA_AUTO : options.sigma);
    if (status == RTD_OK) status = rtd_set_guard(self->deblurrer, options.guard ? 1 : 0);
    /* Not rtd_process(), which takes every picture for a photograph and finds its blur anew. */
    if (status == RTD_OK) status = rtd_submit(self->deblurrer, picture);
    if (status == RTD_OK) status = rtd_collect(self->deblurrer, picture);
    return status;
}

static GstFlowReturn transform_frame_ip(GstVideoFilter *filter, GstVideoFrame *frame) {
    RealtimeDeblur *self = REALTIME_DEBLUR(filter);
    rtd_picture picture = { { NULL }, { 0 } };
    float sigma;
    int status;

    for (guint i = 0; i < GST_VIDEO_FRAME_N_PLANES(frame); i++) {
        picture.plane[i] = GST_VIDEO_FRAME_PLANE_DATA(frame, i);
        picture.stride_bytes[i] = (size_t)GST_VIDEO_FRAME_PLANE_STRIDE(frame, i);
    }
    status = restore(self, &picture);
    if (status == RTD_OK) status = rtd_last_sigma(self->deblurrer, &sigma, NULL);
    if (status != RTD_OK) {
        post_error(self, status);
        return GST_FLOW_ERROR;
    }
    GST_OBJECT_LOCK(self);
    self->last_sigma = sigma;
    GST_OBJECT_UNLOCK(self);
    return GST_FLOW_OK;
}

/* Properties that a controller moves take their values for the time of this buffer. */
static void before_transform(GstBaseTransform *transform, GstBuffer *buffer) {
    GstClockTime time = GST_CLOCK_TIME_NONE;
    if (transform->segment.format == GST_FORMAT_TIME) time = gst_segment_to_stream_time(&transform->segment, GST_FORMAT_TIME, GST_BUFFER_PTS(buffer));
    if (GST_CLOCK_TIME_IS_VALID(time)) gst_object_sync_values(GST_OBJECT(transform), time);
}

/* Called before the first picture and whenever size or layout change on the way. */
static gboolean set_info(GstVideoFilter *filter, GstCaps *in_caps, GstVideoInfo *in, GstCaps *out_caps, GstVideoInfo *out) {
    RealtimeDeblur *self = REALTIME_DEBLUR(filter);
    (void)in_caps, (void)out_caps, (void)out;

    close_deblurrer(self);
    for (gsize i = 0; i < G_N_ELEMENTS(layouts); i++) {
        if (layouts[i].gst != GST_VIDEO_INFO_FORMAT(in)) continue;
        self->format.pixels = layouts[i].rtd;
        self->format.width = GST_VIDEO_INFO_WIDTH(in);
        self->format.height = GST_VIDEO_INFO_HEIGHT(in);
        self->format.range = in->colorimetry.range == GST_VIDEO_COLOR_RANGE_0_255 ? RTD_RANGE_FULL : RTD_RANGE_LIMITED;
        return TRUE;
    }
    return FALSE;
}

static gboolean stop(GstBaseTransform *transform) {
    close_deblurrer(REALTIME_DEBLUR(transform));
    return TRUE;
}

static void set_text(RealtimeDeblur *self, char **text, const GValue *value, const char *when_empty) {
    const char *given = g_value_get_string(value);
    if (!given || !*given) given = when_empty;
    if (g_strcmp0(*text, given) == 0) return;
    g_free(*text);
    *text = g_strdup(given);
    self->is_stale = TRUE;
}

static void set_property(GObject *object, guint id, const GValue *value, GParamSpec *spec) {
    RealtimeDeblur *self = REALTIME_DEBLUR(object);
    GST_OBJECT_LOCK(self);
    switch (id) {
    case PROP_STRENGTH: self->options.strength = g_value_get_float(value); break;
    case PROP_SIGMA: self->options.sigma = g_value_get_float(value); break;
    case PROP_MODEL: set_text(self, &self->model, value, DEFAULT_MODEL); break;
    case PROP_DEVICE: set_text(self, &self->device, value, NULL); break;
    case PROP_GUARD: self->options.guard = g_value_get_boolean(value); break;
    default: G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
    }
    GST_OBJECT_UNLOCK(self);
}

static void get_property(GObject *object, guint id, GValue *value, GParamSpec *spec) {
    RealtimeDeblur *self = REALTIME_DEBLUR(object);
    GST_OBJECT_LOCK(self);
    switch (id) {
    case PROP_STRENGTH: g_value_set_float(value, self->options.strength); break;
    case PROP_SIGMA: g_value_set_float(value, self->options.sigma); break;
    case PROP_MODEL: g_value_set_string(value, self->model); break;
    case PROP_DEVICE: g_value_set_string(value, self->device); break;
    case PROP_GUARD: g_value_set_boolean(value, self->options.guard); break;
    case PROP_LAST_SIGMA: g_value_set_float(value, self->last_sigma); break;
    default: G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
    }
    GST_OBJECT_UNLOCK(self);
}

static void finalize(GObject *object) {
    RealtimeDeblur *self = REALTIME_DEBLUR(object);
    close_deblurrer(self);
    g_free(self->model);
    g_free(self->device);
    G_OBJECT_CLASS(realtime_deblur_parent_class)->finalize(object);
}

static GstCaps *make_caps(void) {
    GstVideoFormat formats[G_N_ELEMENTS(layouts)];
    for (gsize i = 0; i < G_N_ELEMENTS(layouts); i++) formats[i] = layouts[i].gst;
    return gst_video_make_raw_caps(formats, G_N_ELEMENTS(formats));
}

/* What gst-inspect-1.0 says of the property model, with the names that the library has. */
static char *describe_models(void) {
    GString *text = g_string_new(NULL);
    for (int i = 0; i < rtd_model_count(); i++) g_string_append_printf(text, "%s, ", rtd_model_name(i));
    g_string_append(text, "or the path of a .safetensors file; those on camera suit real pictures");
    return g_string_free(text, FALSE);
}

static void realtime_deblur_class_init(RealtimeDeblurClass *class) {
    GObjectClass *object = G_OBJECT_CLASS(class);
    GstElementClass *element = GST_ELEMENT_CLASS(class);
    GstBaseTransformClass *transform = GST_BASE_TRANSFORM_CLASS(class);
    GstCaps *caps = make_caps();
    char *models = describe_models();
    const GParamFlags changeable = G_PARAM_READWRITE | GST_PARAM_MUTABLE_PLAYING, animated = changeable | GST_PARAM_CONTROLLABLE;

    object->set_property = set_property;
    object->get_property = get_property;
    object->finalize = finalize;
    g_object_class_install_property(object, PROP_STRENGTH,
        g_param_spec_float("strength", "Strength", "Share of the restored detail: 0 leaves the picture unchanged, 1 is full", 0, 1, DEFAULT_STRENGTH, animated));
    g_object_class_install_property(object, PROP_SIGMA,
        g_param_spec_float("sigma", "Sigma", "Blur to restore: standard deviation of the Gaussian in pixels; below 0 it is estimated, and sharp pictures pass unchanged",
            RTD_SIGMA_AUTO, MAX_SIGMA, RTD_SIGMA_AUTO, animated));
    g_object_class_install_property(object, PROP_MODEL, g_param_spec_string("model", "Model", models, DEFAULT_MODEL, changeable));
    g_object_class_install_property(object, PROP_DEVICE,
        g_param_spec_string("device", "Device", "OpenCL device: its number, or part of its name; none takes the first", NULL, changeable));
    g_object_class_install_property(object, PROP_GUARD,
        g_param_spec_boolean("guard", "Guard", "Leave alone what does not fit the blur: captions, what is sharp already, clipped lights, noise", TRUE, animated));
    g_object_class_install_property(object, PROP_LAST_SIGMA,
        g_param_spec_float("last-sigma", "Last sigma", "Blur that the last picture was restored for, in pixels; below 0 before the first, and for models that are not told one",
            -1, MAX_SIGMA, -1, G_PARAM_READABLE));
    g_free(models);

    gst_element_class_set_static_metadata(element, "RealtimeDeblur", "Filter/Effect/Video",
        "Sharpens mildly blurred video with a small neural network on an OpenCL device", "RealtimeDeblur contributors");
    gst_element_class_add_pad_template(element, gst_pad_template_new("sink", GST_PAD_SINK, GST_PAD_ALWAYS, caps));
    gst_element_class_add_pad_template(element, gst_pad_template_new("src", GST_PAD_SRC, GST_PAD_ALWAYS, caps));
    gst_caps_unref(caps);

    transform->stop = stop;
    transform->before_transform = before_transform;
    GST_VIDEO_FILTER_CLASS(class)->set_info = set_info;
    GST_VIDEO_FILTER_CLASS(class)->transform_frame_ip = transform_frame_ip;
}

static void realtime_deblur_init(RealtimeDeblur *self) {
    self->options = (Options) { DEFAULT_STRENGTH, RTD_SIGMA_AUTO, TRUE };
    self->model = g_strdup(DEFAULT_MODEL);
    self->last_sigma = -1;
}

static gboolean plugin_init(GstPlugin *plugin) {
    GST_DEBUG_CATEGORY_INIT(deblur_debug, "realtimedeblur", 0, "RealtimeDeblur");
    return gst_element_register(plugin, "realtimedeblur", GST_RANK_NONE, realtime_deblur_get_type());
}

#define PACKAGE "RealtimeDeblur"
GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, realtimedeblur, "Sharpens mildly blurred video", plugin_init, VERSION, "MIT/X11", PACKAGE, "RealtimeDeblur")
