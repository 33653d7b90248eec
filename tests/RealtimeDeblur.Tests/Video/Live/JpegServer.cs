using System.Net;
using System.Net.Sockets;
using System.Text;

namespace RealtimeDeblur.Tests.Video.Live;

/// <summary>A camera on the network as its makers build them: an HTTP server that sends JPEG pictures, one after another. What it does with each connection is up to the test.</summary>
internal sealed class JpegServer : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly List<TcpClient> _clients = [];
    private readonly Thread _thread;
    private volatile bool _stopped;

    /// <param name="serve">Called for each connection, with its number from 0, after the request was read; the connection is closed when it returns.</param>
    public JpegServer(Action<int, Connection> serve)
    {
        _listener.Start();
        _thread = new(() =>
        {
            for (int number = 0; !_stopped; number++)
            {
                try
                {
                    using TcpClient client = _listener.AcceptTcpClient();
                    lock (_clients) _clients.Add(client);
                    var connection = new Connection(client.GetStream(), () => _stopped);
                    connection.ReadRequest();
                    serve(number, connection);
                }
                catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException)
                {
                    // The reader is gone, or the test is over.
                }
            }
        }) { IsBackground = true };
        _thread.Start();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public string Url => $"http://127.0.0.1:{Port}/video";

    public void Dispose()
    {
        _stopped = true;
        _listener.Dispose();
        lock (_clients) _clients.ForEach(client => client.Dispose());
        _thread.Join();
    }

    internal sealed class Connection(NetworkStream stream, Func<bool> isStopped)
    {
        public void ReadRequest()
        {
            int newlines = 0;
            while (newlines < 2 && stream.ReadByte() is var b && b >= 0) newlines = b == '\n' ? newlines + 1 : b == '\r' ? newlines : 0;
        }

        public void SendHeader() => Send("HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\n\r\n"u8);

        public void Send(ReadOnlySpan<byte> bytes) => stream.Write(bytes);

        /// <summary>Sends a picture a number of times, fifty per second; -1 for ever.</summary>
        public void SendPictures(byte[] jpeg, int count)
        {
            for (int i = 0; i != count && !isStopped(); i++)
            {
                Send(Encoding.ASCII.GetBytes($"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {jpeg.Length}\r\n\r\n"));
                Send(jpeg);
                Send("\r\n"u8);
                Thread.Sleep(20);
            }
        }

        /// <summary>Says nothing until the reader goes or the test is over.</summary>
        public void Hold()
        {
            while (!isStopped() && stream.ReadByte() >= 0) { }
        }
    }
}
