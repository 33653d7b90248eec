using Silk.NET.OpenGL;

namespace RealtimeDeblur.Preview.Drawing;

/// <summary>Draws textured rectangles that stand upright.</summary>
/// <remarks>
/// Software OpenGL (Mesa's llvmpipe), where the window shares the processor with the network, has a path for such rectangles that takes less than half the time:
/// 5 instead of 13 ms for 1280x720 on two Zen 3 cores. It takes it when the shader does no more than fetch one texel, the rectangle comes as two whole triangles
/// rather than a strip, the texture is BGRA in memory (see <see cref="TextureFormat"/>), and there is no depth buffer.
/// </remarks>
internal sealed class QuadProgram : IDisposable
{
    // Corners from the vertex number, so that there is no vertex buffer; x to the right, y down.
    private const string VertexShader = """
        #version 330 core
        uniform vec4 target;    // left, top, right, bottom in clip space
        uniform vec4 source;    // left, top, right, bottom of the texture, 0 to 1; its first row is the top one
        out vec2 texel;
        const vec2 corners[6] = vec2[](vec2(0, 0), vec2(0, 1), vec2(1, 1), vec2(0, 0), vec2(1, 1), vec2(1, 0));
        void main()
        {
            vec2 corner = corners[gl_VertexID];
            texel = mix(source.xy, source.zw, corner);
            gl_Position = vec4(mix(target.xy, target.zw, corner), 0.0, 1.0);
        }
        """;

    private const string FragmentShader = """
        #version 330 core
        uniform sampler2D image;
        in vec2 texel;
        out vec4 color;
        void main() { color = texture(image, texel); }
        """;

    private const int Vertices = 6;

    private readonly GL _gl;
    private readonly uint _program;
    private readonly uint _vertexArray;
    private readonly int _target;
    private readonly int _source;
    private int _viewWidth = 1, _viewHeight = 1;

    public QuadProgram(GL gl)
    {
        _gl = gl;
        uint vertexShader = Compile(ShaderType.VertexShader, VertexShader);
        uint fragmentShader = Compile(ShaderType.FragmentShader, FragmentShader);
        _program = gl.CreateProgram();
        gl.AttachShader(_program, vertexShader);
        gl.AttachShader(_program, fragmentShader);
        gl.LinkProgram(_program);
        gl.DeleteShader(vertexShader);
        gl.DeleteShader(fragmentShader);
        gl.GetProgram(_program, ProgramPropertyARB.LinkStatus, out int linked);
        if (linked == 0) throw new PreviewException($"The graphics driver cannot link the window's shaders: {gl.GetProgramInfoLog(_program)}");
        _target = gl.GetUniformLocation(_program, "target");
        _source = gl.GetUniformLocation(_program, "source");
        // A core profile draws nothing without one, even when there are no attributes.
        _vertexArray = gl.GenVertexArray();
    }

    /// <summary>Begins a picture of the window, whose size in pixels this is.</summary>
    public void Begin(int viewWidth, int viewHeight)
    {
        (_viewWidth, _viewHeight) = (viewWidth, viewHeight);
        _gl.Viewport(0, 0, (uint)viewWidth, (uint)viewHeight);
        _gl.UseProgram(_program);
        _gl.BindVertexArray(_vertexArray);
    }

    /// <summary>Draws the whole texture.</summary>
    public void Draw(uint texture, PixelRect target) => Draw(texture, target, new(0, 0, 1, 1));

    /// <summary>Draws a part of a texture.</summary>
    /// <param name="source">Shares of the texture's size.</param>
    public void Draw(uint texture, PixelRect target, PixelRect source)
    {
        if (target.IsEmpty) return;
        _gl.BindTexture(TextureTarget.Texture2D, texture);
        _gl.Uniform4(_target, ClipX(target.X), ClipY(target.Y), ClipX(target.Right), ClipY(target.Bottom));
        _gl.Uniform4(_source, (float)source.X, (float)source.Y, (float)source.Right, (float)source.Bottom);
        _gl.DrawArrays(PrimitiveType.Triangles, 0, Vertices);
    }

    public void Dispose()
    {
        _gl.DeleteProgram(_program);
        _gl.DeleteVertexArray(_vertexArray);
    }

    private float ClipX(double x) => (float)(2 * x / _viewWidth - 1);

    private float ClipY(double y) => (float)(1 - 2 * y / _viewHeight);

    private uint Compile(ShaderType type, string source)
    {
        uint shader = _gl.CreateShader(type);
        _gl.ShaderSource(shader, source);
        _gl.CompileShader(shader);
        _gl.GetShader(shader, ShaderParameterName.CompileStatus, out int compiled);
        return compiled != 0 ? shader : throw new PreviewException($"The graphics driver cannot compile the window's {type}: {_gl.GetShaderInfoLog(shader)}");
    }
}
