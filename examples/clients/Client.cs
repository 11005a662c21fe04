// A program that reads two fields of the identity card in the reader, through the eidkit agent.
// .NET Framework 4.5 and later, or Mono:  mcs -r:System.Web.Extensions.dll Client.cs && mono Client.exe
//
//   EIDKIT_AGENT=ws://127.0.0.1:24340/v1   where the agent listens (this is the default)
//   EIDKIT_TOKEN=...                       what `eid pair` printed
//
// It prints JSON lines, and exits with 1 when the agent refused. docs/protocol.md has all methods.
using System;
using System.Collections.Generic;
using System.IO;
using System.Net.WebSockets;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using System.Web.Script.Serialization;
using Json = System.Collections.Generic.Dictionary<string, object>;

/// The agent's answer to a request that failed: Code to branch on, Text for the user.
class Refused : Exception {
    public readonly string Code;
    public readonly bool Retry;
    public readonly Json Text = new Json();

    public Refused(Json error) : base((string)error["message"]) {
        var data = error.ContainsKey("data") ? (Json)error["data"] : new Json();
        Code = data.ContainsKey("code") ? (string)data["code"] : "INTERNAL";
        Retry = data.ContainsKey("retry") && (bool)data["retry"];
        if (data.ContainsKey("text")) Text = (Json)data["text"];
    }
}

/// JSON-RPC over a WebSocket.
class Agent {
    readonly ClientWebSocket socket = new ClientWebSocket();
    readonly JavaScriptSerializer json = new JavaScriptSerializer { MaxJsonLength = int.MaxValue };
    int last;

    public async Task Connect(string url, string token) {
        socket.Options.AddSubProtocol("eidkit.v1");
        socket.Options.SetRequestHeader("Authorization", "Bearer " + token); // a header, which no web page can set
        await socket.ConnectAsync(new Uri(url), CancellationToken.None);
    }

    public async Task<Json> Call(string method, Json parameters) {
        int id = ++last;
        var request = json.Serialize(new Json { { "jsonrpc", "2.0" }, { "id", id }, { "method", method }, { "params", parameters } });
        await socket.SendAsync(new ArraySegment<byte>(Encoding.UTF8.GetBytes(request)), WebSocketMessageType.Text, true, CancellationToken.None);
        while (true) {
            var message = json.Deserialize<Json>(await Receive());
            if (!message.ContainsKey("id") || !id.Equals(message["id"])) continue; // a notification: readers and cards, progress
            if (message.ContainsKey("error")) throw new Refused((Json)message["error"]);
            return (Json)message["result"];
        }
    }

    async Task<string> Receive() {
        var message = new MemoryStream();
        var buffer = new ArraySegment<byte>(new byte[65536]);
        while (true) {
            var part = await socket.ReceiveAsync(buffer, CancellationToken.None);
            if (part.MessageType == WebSocketMessageType.Close) throw new WebSocketException("the agent ended the connection");
            message.Write(buffer.Array, 0, part.Count);
            if (part.EndOfMessage) return Encoding.UTF8.GetString(message.ToArray());
        }
    }

    public Task Close() {
        return socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, "", CancellationToken.None);
    }
}

static class Program {
    static void Print(Json value) {
        Console.WriteLine(new JavaScriptSerializer().Serialize(value));
    }

    static async Task<int> Run() {
        try {
            var agent = new Agent();
            await agent.Connect(Environment.GetEnvironmentVariable("EIDKIT_AGENT") ?? "ws://127.0.0.1:24340/v1", Environment.GetEnvironmentVariable("EIDKIT_TOKEN") ?? "");
            Print(new Json { { "readers", (await agent.Call("readers.list", new Json()))["readers"] } });
            // The user is asked, unless the administrator's policy allows it: the answer may take a minute.
            var read = await agent.Call("identity.read", new Json { { "fields", new[] { "surname", "givenNames" } }, { "purpose", "Example in C#" } });
            Print(new Json { { "cardId", read["cardId"] }, { "identity", read["identity"] }, { "trusted", read["trusted"] } });
            await agent.Close();
            return 0;
        } catch (Refused e) { // e.Code: NO_CARD, CONSENT_DENIED, ...; e.Text: en, nl, fr, de
            object text;
            e.Text.TryGetValue("nl", out text);
            Print(new Json { { "error", new Json { { "code", e.Code }, { "retry", e.Retry }, { "text", text ?? e.Message } } } });
        } catch (WebSocketException e) { // nothing listens there, or it refuses the token (401) or the user (403)
            Print(new Json { { "error", new Json { { "code", "AGENT_ABSENT" }, { "retry", true }, { "text", e.Message } } } });
        }
        return 1;
    }

    static int Main() {
        Console.OutputEncoding = new UTF8Encoding(false); // names have letters that not every console's own encoding has
        return Run().GetAwaiter().GetResult();
    }
}
