// src/errors.ts
var localFaults = {
  AGENT_ABSENT: {
    retry: true,
    webEid: "ERR_WEBEID_EXTENSION_UNAVAILABLE",
    text: {
      en: "eidkit is not running on this computer. Start it or install it, or choose another way to sign in.",
      nl: "eidkit draait niet op deze computer. Start of installeer het, of kies een andere manier om aan te melden.",
      fr: "eidkit ne tourne pas sur cet ordinateur. Démarrez-le ou installez-le, ou choisissez une autre façon de vous identifier.",
      de: "eidkit läuft nicht auf diesem Computer. Starten oder installieren Sie es, oder wählen Sie einen anderen Weg zur Anmeldung."
    }
  },
  AGENT_UNPROVEN: {
    retry: false,
    webEid: "ERR_WEBEID_NATIVE_UNAVAILABLE",
    text: {
      en: "The program that answers is not the eidkit that this page knows. If eidkit was not reinstalled here, have the computer looked at.",
      nl: "Het programma dat antwoordt, is niet de eidkit die deze pagina kent. Is eidkit hier niet opnieuw geïnstalleerd, laat de computer dan nakijken.",
      fr: "Le programme qui répond n’est pas l’eidkit que cette page connaît. Si eidkit n’a pas été réinstallé ici, faites vérifier l’ordinateur.",
      de: "Das Programm, das antwortet, ist nicht das eidkit, das diese Seite kennt. Wurde eidkit hier nicht neu installiert, lassen Sie den Computer prüfen."
    }
  },
  PERMISSION_DENIED: {
    retry: false,
    webEid: "ERR_WEBEID_EXTENSION_UNAVAILABLE",
    text: {
      en: "The browser does not let this page reach programs on this computer. Click the icon left of the address, allow “Apps on device” (or “Local network access”) and reload the page.",
      nl: "De browser laat deze pagina niet toe bij programma’s op deze computer. Klik op het pictogram links van het adres, sta “Apps op apparaat” (of “Toegang tot lokaal netwerk”) toe en laad de pagina opnieuw.",
      fr: "Le navigateur interdit à cette page d’atteindre les programmes de cet ordinateur. Cliquez sur l’icône à gauche de l’adresse, autorisez « Applications sur l’appareil » (ou « Accès au réseau local ») et rechargez la page.",
      de: "Der Browser lässt diese Seite nicht an Programme auf diesem Computer. Klicken Sie auf das Symbol links neben der Adresse, erlauben Sie „Apps auf dem Gerät“ (oder „Zugriff auf das lokale Netzwerk“) und laden Sie die Seite neu."
    }
  },
  PERMISSION_PROMPT: {
    retry: true,
    webEid: "ERR_WEBEID_EXTENSION_UNAVAILABLE",
    text: {
      en: "The browser asks whether this page may reach programs on this computer. Choose “Allow” so that it can use the card.",
      nl: "De browser vraagt of deze pagina bij programma’s op deze computer mag. Kies “Toestaan”, dan kan ze de kaart gebruiken.",
      fr: "Le navigateur demande si cette page peut atteindre les programmes de cet ordinateur. Choisissez « Autoriser » pour qu’elle puisse utiliser la carte.",
      de: "Der Browser fragt, ob diese Seite Programme auf diesem Computer erreichen darf. Wählen Sie „Zulassen“, damit sie die Karte benutzen kann."
    }
  },
  ORIGIN_REFUSED: {
    retry: false,
    webEid: "ERR_WEBEID_CONTEXT_INSECURE",
    text: {
      en: "eidkit runs on this computer and refuses this website. Whoever manages the computer can allow it.",
      nl: "eidkit draait op deze computer en weigert deze website. Wie de computer beheert, kan ze toestaan.",
      fr: "eidkit tourne sur cet ordinateur et refuse ce site. La personne qui gère l’ordinateur peut l’autoriser.",
      de: "eidkit läuft auf diesem Computer und lehnt diese Website ab. Wer den Computer verwaltet, kann sie zulassen."
    }
  },
  CONTEXT_INSECURE: {
    retry: false,
    webEid: "ERR_WEBEID_CONTEXT_INSECURE",
    text: {
      en: "This page came over plain http, so the browser keeps it away from the card. Open it with https.",
      nl: "Deze pagina kwam over gewone http, dus houdt de browser ze weg van de kaart. Open ze met https.",
      fr: "Cette page est arrivée en http simple : le navigateur la tient donc à l’écart de la carte. Ouvrez-la en https.",
      de: "Diese Seite kam über einfaches http, deshalb hält der Browser sie von der Karte fern. Öffnen Sie sie mit https."
    }
  },
  CONTENT_POLICY: {
    retry: false,
    webEid: "ERR_WEBEID_EXTENSION_UNAVAILABLE",
    text: {
      en: "This website forbids itself to reach eidkit (Content-Security-Policy, connect-src). Tell whoever runs the site.",
      nl: "Deze website verbiedt zichzelf om eidkit te bereiken (Content-Security-Policy, connect-src). Meld het aan wie de site beheert.",
      fr: "Ce site s’interdit à lui-même d’atteindre eidkit (Content-Security-Policy, connect-src). Signalez-le à son exploitant.",
      de: "Diese Website verbietet sich selbst, eidkit zu erreichen (Content-Security-Policy, connect-src). Melden Sie es dem Betreiber."
    }
  },
  CONNECTION_LOST: {
    retry: true,
    webEid: "ERR_WEBEID_NATIVE_UNAVAILABLE",
    text: {
      en: "The connection to eidkit broke. Try again.",
      nl: "De verbinding met eidkit is verbroken. Probeer het opnieuw.",
      fr: "La connexion à eidkit a été coupée. Réessayez.",
      de: "Die Verbindung zu eidkit ist abgerissen. Versuchen Sie es noch einmal."
    }
  },
  CLOSED: {
    retry: false,
    webEid: "ERR_WEBEID_ACTION_TIMEOUT",
    text: {
      en: "The page has ended its connection to eidkit.",
      nl: "De pagina heeft haar verbinding met eidkit beëindigd.",
      fr: "La page a mis fin à sa connexion à eidkit.",
      de: "Die Seite hat ihre Verbindung zu eidkit beendet."
    }
  }
};
var EidError = class _EidError extends Error {
  /** The stable symbol to branch on. */
  code;
  /** The same request may do better without anybody changing a setting. */
  retry;
  /** What to tell the user, in four languages. */
  text;
  /** The code that Web eID has for it. */
  webEid;
  /** PIN tries left, with PIN_WRONG. */
  triesLeft;
  /** The service's own code, with SERVICE_FAULT. */
  service;
  /** Who has the card, with CARD_BUSY. */
  holder;
  constructor(code, message, more) {
    super(message);
    this.name = "EidError";
    this.code = code;
    this.retry = more.retry;
    this.webEid = more.webEid;
    this.text = more.text;
    this.triesLeft = more.triesLeft;
    this.service = more.service;
    this.holder = more.holder;
  }
  /** The text in a language such as "nl" or "fr-BE"; English for one that there is not. */
  textIn(language) {
    return this.text[language.slice(0, 2).toLowerCase()] ?? this.text.en;
  }
  /** One of the errors that this library finds out itself; detail is English, for developers. */
  static local(code, detail) {
    const fault = localFaults[code];
    return new _EidError(code, detail ?? fault.text.en, fault);
  }
  /** An error as the agent sends it. */
  static fromWire(wire) {
    const data = wire.data ?? {};
    const en = data.text?.en ?? wire.message;
    return new _EidError(data.code ?? "INTERNAL", wire.message, {
      retry: data.retry ?? false,
      webEid: data.webEid ?? "ERR_WEBEID_UNKNOWN_ERROR",
      text: { en, nl: data.text?.nl ?? en, fr: data.text?.fr ?? en, de: data.text?.de ?? en },
      triesLeft: data.triesLeft,
      service: data.service,
      holder: data.holder
    });
  }
};

// src/discover.ts
var PORT = 24340;
var TLS_PORT = 24341;
var PATH = "/v1";
var SUBPROTOCOL = "eidkit.v1";
async function permission(env) {
  for (const name of ["loopback-network", "local-network-access"]) {
    try {
      const status2 = await env.permissions?.query({ name });
      if (status2) return status2.state;
    } catch {
    }
  }
  return "unknown";
}
function url(a, scheme) {
  return `${scheme}${a.tls ? "s" : ""}://${a.host}:${a.port}`;
}
function open(a, o, blocked, signal) {
  return new Promise((resolve, reject) => {
    let socket;
    const settle = () => {
      signal.removeEventListener("abort", abort);
      o.env.document?.removeEventListener("securitypolicyviolation", violated);
      if (socket) socket.onopen = socket.onclose = null;
    };
    const give = (reason) => {
      settle();
      socket?.close();
      reject(reason);
    };
    const abort = () => give(signal.reason);
    const violated = (event) => {
      if (!(event.blockedURI ?? "").startsWith(url(a, "ws"))) return;
      blocked.add(a);
      give();
    };
    if (signal.aborted) return abort();
    signal.addEventListener("abort", abort);
    o.env.document?.addEventListener("securitypolicyviolation", violated);
    try {
      socket = new o.env.WebSocket(url(a, "ws") + PATH, o.token === void 0 ? [SUBPROTOCOL] : { protocols: [SUBPROTOCOL], headers: { Authorization: `Bearer ${o.token}` } });
    } catch (error) {
      return give(error);
    }
    const opening = socket;
    opening.onopen = () => {
      settle();
      resolve(opening);
    };
    opening.onerror = () => {
    };
    opening.onclose = () => {
      settle();
      reject(void 0);
    };
  });
}
var headStart = 300;
function race(o, blocked, giveUp, patient) {
  const rest = new AbortController();
  let next = 0, failed = 0;
  let timer;
  return new Promise((resolve, reject) => {
    const start = () => {
      const address = o.addresses[next];
      if (!address || rest.signal.aborted) return;
      next++;
      open(address, o, blocked, rest.signal).then(
        (socket) => rest.signal.aborted ? socket.close() : resolve(socket),
        () => ++failed === o.addresses.length ? resolve(void 0) : failed === next && start()
      );
    };
    giveUp.addEventListener("abort", () => reject(giveUp.reason), { once: true });
    if (giveUp.aborted) return reject(giveUp.reason);
    timer = setInterval(() => patient() || start(), headStart);
    start();
  }).finally(() => {
    clearInterval(timer);
    rest.abort();
  });
}
async function healthy(env, a, milliseconds) {
  if (!env.fetch) return false;
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), milliseconds);
  try {
    await env.fetch(url(a, "http") + "/healthz", { mode: "no-cors", cache: "no-store", credentials: "omit", signal: limit.signal });
    return true;
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
  }
}
async function diagnose(o, blocked) {
  const where = o.addresses.map((a) => url(a, "ws")).join(", ");
  if (blocked.size === o.addresses.length) return EidError.local("CONTENT_POLICY", `the page's Content-Security-Policy forbids ${where}: add it to connect-src`);
  if (await permission(o.env) === "denied") {
    return EidError.local(
      "PERMISSION_DENIED",
      'the browser refuses connections to this computer: permission loopback-network is denied (in a frame: allow="loopback-network" is missing)'
    );
  }
  const answers = await Promise.all(o.addresses.map((a) => healthy(o.env, a, 2e3)));
  if (answers.some(Boolean)) {
    return EidError.local("ORIGIN_REFUSED", `something answers at ${where} and refuses the WebSocket of ${o.env.origin ?? "this program"}`);
  }
  if (await permission(o.env) === "denied") {
    return EidError.local("PERMISSION_DENIED", "the browser refused the connection to this computer: permission loopback-network is denied");
  }
  return EidError.local("AGENT_ABSENT", `nothing answers at ${where}`);
}
async function discover(o) {
  o.signal?.throwIfAborted();
  if (o.env.isSecureContext === false) {
    throw EidError.local("CONTEXT_INSECURE", `the page ${o.env.origin ?? ""} is no secure context: browsers refuse its connections to this computer without a word`);
  }
  const blocked = /* @__PURE__ */ new Set();
  const giveUp = new AbortController();
  const cancel = () => giveUp.abort(o.signal?.reason);
  o.signal?.addEventListener("abort", cancel);
  const clock = new Clock(o, giveUp);
  try {
    const socket = await race(o, blocked, giveUp.signal, () => clock.asking);
    if (socket) return socket;
    throw await diagnose(o, blocked);
  } catch (error) {
    if (error === timedOut) throw await diagnose(o, blocked);
    throw error;
  } finally {
    clock.stop();
    o.signal?.removeEventListener("abort", cancel);
  }
}
var timedOut = /* @__PURE__ */ Symbol("timed out");
var Clock = class {
  constructor(o, giveUp) {
    this.o = o;
    this.giveUp = giveUp;
    void this.look();
    this.timer = setInterval(() => void this.look(), Math.max(10, Math.min(100, o.timeout / 4)));
  }
  o;
  giveUp;
  /** The browser is asking the user. */
  asking = false;
  told = false;
  began = Date.now();
  timer;
  stop() {
    clearInterval(this.timer);
  }
  async look() {
    const state = await permission(this.o.env);
    const waited = Date.now() - this.began;
    this.asking = state === "prompt" || state === "unknown" && this.o.env.document !== void 0 && waited >= this.o.timeout;
    if (this.asking && !this.told && waited >= Math.min(headStart, this.o.timeout)) {
      this.told = true;
      this.o.onPrompt?.(EidError.local("PERMISSION_PROMPT"));
    }
    if (this.asking ? waited >= this.o.promptTimeout : waited >= this.o.timeout) {
      this.giveUp.abort(this.asking ? EidError.local("PERMISSION_PROMPT", "nobody has answered the browser's question about this computer") : timedOut);
    }
  }
};

// src/documents.ts
var maxChunk = 256 * 1024;
var maxRead = 8 * 1024 * 1024;
var highWater = 8 * 1024 * 1024;
async function drained(connection, limit, signal) {
  while (connection.bufferedAmount > limit) {
    if (connection.ended) throw connection.ended;
    signal?.throwIfAborted();
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
async function upload(connection, call, documentId, content, o, failed) {
  const check = () => {
    const error = failed();
    if (error) throw error;
  };
  const total = content.size;
  for (let at = 0; at < total; at += maxRead) {
    const part = new Uint8Array(await content.slice(at, at + maxRead).arrayBuffer());
    for (let i = 0; i < part.length; i += maxChunk) {
      o.signal?.throwIfAborted();
      connection.sendChunk(documentId, at + i, part.subarray(i, i + maxChunk));
      await drained(connection, highWater, o.signal);
      check();
    }
    o.onProgress?.(at + part.length, total);
  }
  const info = await call("document.info", { documentId }).catch((error) => {
    check();
    throw error;
  });
  check();
  if (info.received !== total) throw EidError.local("CONNECTION_LOST", `the agent has ${info.received} of ${total} bytes of the document`);
  return info;
}
function download(connection, call, documentId, size, o) {
  let at = 0;
  return new ReadableStream({
    async pull(controller) {
      if (at >= size) {
        connection.setSink(documentId, void 0);
        controller.close();
        return;
      }
      if (o.signal?.aborted) {
        connection.setSink(documentId, void 0);
        throw o.signal.reason;
      }
      const begin = at;
      const length = Math.min(maxRead, size - begin);
      const part = new Uint8Array(length);
      connection.setSink(documentId, (offset, data) => {
        if (offset !== at || at + data.length > begin + length) return;
        part.set(data, at - begin);
        at += data.length;
      });
      try {
        await call("document.read", { documentId, offset: begin, length });
      } catch (error) {
        connection.setSink(documentId, void 0);
        throw error;
      }
      if (at !== begin + length) {
        connection.setSink(documentId, void 0);
        throw EidError.local("CONNECTION_LOST", `the agent sent ${at - begin} of ${length} bytes of the document`);
      }
      o.onProgress?.(at, size);
      controller.enqueue(part);
    },
    cancel() {
      connection.setSink(documentId, void 0);
    }
  }, { highWaterMark: 0 });
}

// src/proof.ts
var storageKey = "eidkit.installation";
function toBase64(bytes) {
  let text = "";
  for (const b of bytes) text += String.fromCharCode(b);
  return btoa(text);
}
function fromBase64(text) {
  return Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
}
function rememberedKey(env) {
  try {
    return env.storage?.getItem(storageKey) ?? null;
  } catch {
    return null;
  }
}
function rememberKey(env, key) {
  try {
    if (key === void 0) env.storage?.removeItem(storageKey);
    else env.storage?.setItem(storageKey, key);
  } catch {
  }
}
async function prove(env, call, expected) {
  const nonce = crypto.getRandomValues(new Uint8Array(32));
  const { key, signature } = await call(toBase64(nonce));
  if (expected !== void 0 && key !== expected) {
    throw EidError.local("AGENT_UNPROVEN", "the agent has another key than the one that is remembered");
  }
  const text = new TextEncoder();
  const message = Uint8Array.from([...text.encode("eidkit agent proof v1\0"), ...text.encode(env.origin ?? ""), 0, ...nonce]);
  const subtle = env.subtle ?? globalThis.crypto?.subtle;
  let good = false;
  try {
    const imported = await subtle.importKey("raw", fromBase64(key), { name: "Ed25519" }, false, ["verify"]);
    good = await subtle.verify({ name: "Ed25519" }, imported, fromBase64(signature), message);
  } catch (error) {
    throw EidError.local("AGENT_UNPROVEN", `the agent's proof could not be checked: ${String(error)}`);
  }
  if (!good) throw EidError.local("AGENT_UNPROVEN", "the agent's proof is not signed by its key");
  return key;
}

// src/socket.ts
var chunkHeader = 24;
var Connection = class {
  constructor(socket) {
    this.socket = socket;
    socket.binaryType = "arraybuffer";
    socket.onmessage = (event) => this.receive(event.data);
    socket.onerror = () => {
    };
    socket.onclose = (event) => {
      this.end(EidError.local("CONNECTION_LOST", `the agent's connection closed (${event.code}${event.reason ? " " + event.reason : ""})`));
    };
  }
  socket;
  calls = /* @__PURE__ */ new Map();
  sinks = /* @__PURE__ */ new Map();
  count = 0;
  gone;
  onNotification = () => {
  };
  onClose = () => {
  };
  get bufferedAmount() {
    return this.socket.bufferedAmount;
  }
  /** Why the connection is no more; undefined while it is. */
  get ended() {
    return this.gone;
  }
  /** Sends a request. The id is told to `started` before anything is sent. */
  call(method, params, started) {
    if (this.gone) return Promise.reject(this.gone);
    const id = ++this.count;
    return new Promise((resolve, reject) => {
      this.calls.set(id, { resolve, reject });
      started?.(id);
      this.socket.send(JSON.stringify({ jsonrpc: "2.0", id, method, params }));
    });
  }
  /** Sends a piece of a document. */
  sendChunk(documentId, offset, data) {
    if (this.gone) throw this.gone;
    const frame = new Uint8Array(chunkHeader + data.length);
    for (let i = 0; i < 16; i++) frame[i] = parseInt(documentId.slice(2 * i, 2 * i + 2), 16);
    new DataView(frame.buffer).setBigUint64(16, BigInt(offset));
    frame.set(data, chunkHeader);
    this.socket.send(frame);
  }
  /** Hands the pieces of a document that arrive to a function; undefined ends that. */
  setSink(documentId, sink) {
    if (sink) this.sinks.set(documentId, sink);
    else this.sinks.delete(documentId);
  }
  /** Ends the connection; requests under way fail with the error. */
  close(error) {
    this.end(error);
    this.socket.close(1e3);
  }
  end(error) {
    if (this.gone) return;
    this.gone = error;
    const calls = [...this.calls.values()];
    this.calls.clear();
    this.sinks.clear();
    for (const call of calls) call.reject(error);
    this.onClose(error);
  }
  receive(data) {
    if (typeof data !== "string") {
      if (data.byteLength < chunkHeader) return;
      const head = new Uint8Array(data, 0, 16);
      const id2 = Array.from(head, (b) => b.toString(16).padStart(2, "0")).join("");
      this.sinks.get(id2)?.(Number(new DataView(data).getBigUint64(16)), new Uint8Array(data, chunkHeader));
      return;
    }
    let message;
    try {
      message = JSON.parse(data);
    } catch {
      return;
    }
    if (message === null || typeof message !== "object") return;
    if (typeof message.method === "string") {
      this.onNotification(message.method, message.params ?? {});
      return;
    }
    const id = Number(message.id);
    const call = this.calls.get(id);
    if (!call) return;
    this.calls.delete(id);
    if (message.error) call.reject(EidError.fromWire(message.error));
    else call.resolve(message.result);
  }
};

// src/agent.ts
var ownEvents = /* @__PURE__ */ new Set(["readers", "state", "error"]);
var firstDelay = 250;
var longestDelay = 1e4;
var Agent = class _Agent {
  constructor(options) {
    this.options = options;
  }
  options;
  /** What agent.info said at the last (re)connection. */
  info;
  /** Readers and cards, kept up to date once subscribe was called. */
  readers = [];
  state = "reconnecting";
  /** The token of a page's session, with which a reloaded page comes back: connect({page: {token}}). */
  session;
  connection;
  ready;
  stop = new AbortController();
  listeners = /* @__PURE__ */ new Map();
  running = /* @__PURE__ */ new Map();
  subscribed = false;
  /** Connects; used by connect, which has the defaults. */
  static async open(options) {
    const agent = new _Agent(options);
    await agent.attach(options.discover);
    return agent;
  }
  async attach(o) {
    const connection = new Connection(await discover(o));
    const call = (method, params) => connection.call(method, params);
    const cancel = () => connection.close(EidError.local("CLOSED"));
    o.signal?.addEventListener("abort", cancel);
    try {
      connection.onNotification = (method, params) => this.notified(method, params);
      await this.openSession(call);
      const info = await call("agent.info", {});
      await this.proveKey(call);
      if (this.subscribed) this.setReaders((await call("events.subscribe", {})).readers);
      if (connection.ended) throw connection.ended;
      this.info = info;
    } catch (error) {
      connection.close(EidError.local("CLOSED"));
      o.signal?.throwIfAborted();
      throw error;
    } finally {
      o.signal?.removeEventListener("abort", cancel);
    }
    connection.onClose = (error) => this.lost(error);
    this.connection = connection;
    this.setState("open");
  }
  async openSession(call) {
    const page = this.session ?? this.options.page;
    if (!page) return;
    this.session = await ("code" in page ? call("session.start", { code: page.code }) : call("session.resume", { token: page.token }));
  }
  async proveKey(call) {
    const wanted = this.options.key;
    if (wanted === void 0) return;
    const env = { ...this.options.discover.env, ...this.options.page && { origin: "" } };
    const expected = wanted === "remember" ? rememberedKey(env) ?? void 0 : wanted;
    const key = await prove(env, (nonce) => call("agent.prove", { nonce }), expected);
    if (wanted === "remember") rememberKey(env, key);
  }
  lost(error) {
    if (this.stop.signal.aborted) return;
    this.emit("error", error);
    if (!this.options.reconnect) {
      this.stop.abort(error);
      this.setState("closed");
      return;
    }
    this.setState("reconnecting");
    this.ready = this.comeBack();
    this.ready.catch(() => {
    });
  }
  /** Tries again, each time later, until the agent is back, refuses for good, or close is called. */
  async comeBack() {
    const signal = this.stop.signal;
    for (let delay = firstDelay; ; delay = Math.min(2 * delay, longestDelay)) {
      await pause(delay * (0.75 + Math.random() / 2), signal);
      try {
        await this.attach({ ...this.options.discover, signal, onPrompt: void 0 });
        this.ready = void 0;
        return;
      } catch (error) {
        signal.throwIfAborted();
        this.emit("error", error);
        if (error instanceof EidError && !error.retry) {
          this.stop.abort(error);
          this.setState("closed");
          throw error;
        }
      }
    }
  }
  /**
   * Calls a method of docs/protocol.md. While the connection is away the request
   * waits for it. A request that was under way when it broke fails with
   * CONNECTION_LOST and is never repeated by itself: it may have cost a PIN.
   */
  async call(method, params = {}, options = {}) {
    const { signal } = options;
    signal?.throwIfAborted();
    if (this.ready) await withSignal(this.ready, signal);
    if (this.stop.signal.aborted) throw this.stop.signal.reason;
    const connection = this.connection;
    let id = 0;
    const answer = connection.call(method, params, (given) => {
      id = given;
      this.running.set(id, options);
    });
    try {
      return await withSignal(answer, signal);
    } catch (error) {
      if (signal?.aborted && !connection.ended) connection.call("operation.cancel", { id }).catch(() => {
      });
      throw error;
    } finally {
      this.running.delete(id);
    }
  }
  /** Calls a function at each event of a kind; the result ends that. */
  on(kind, listener) {
    const all = this.listeners.get(kind) ?? /* @__PURE__ */ new Set();
    this.listeners.set(kind, all);
    all.add(listener);
    return () => void all.delete(listener);
  }
  /** Asks to be told of readers and cards, now and after each reconnection. The user may be asked first. */
  async subscribe(options) {
    const { readers } = await this.call("events.subscribe", {}, options);
    this.subscribed = true;
    this.setReaders(readers);
    return readers;
  }
  async unsubscribe() {
    this.subscribed = false;
    await this.call("events.unsubscribe");
  }
  async listReaders(options) {
    return (await this.call("readers.list", {}, options)).readers;
  }
  /** Reads the fields asked for from the card, after the user or a policy allowed it. */
  identity(params, options) {
    return this.call("identity.read", params, options);
  }
  insurability(params, options) {
    return this.call("insurability.read", params, options);
  }
  /** A Web eID token for this page's origin and the server's nonce. */
  login(params, options) {
    return this.call("auth.login", params, options);
  }
  signingCertificate(params = {}, options) {
    return this.call("sign.certificate", params, options);
  }
  signHash(params, options) {
    return this.call("sign.hash", params, options);
  }
  signDocument(params, options) {
    return this.call("sign.document", params, options);
  }
  async verifyDocument(params, options) {
    return (await this.call("verify.document", params, options)).report;
  }
  pinStatus(params = {}, options) {
    return this.call("pin.status", params, options);
  }
  async changePIN(params = {}, options) {
    await this.call("pin.change", params, options);
  }
  /** Hands a document to the agent; its id is for signDocument and verifyDocument, until closeDocument or the end of the connection. */
  async openDocument(content, about = {}, options = {}) {
    const blob = content instanceof Blob ? content : new Blob([content]);
    const name = about.name ?? blob.name ?? "document";
    const mediaType = about.mediaType ?? blob.type;
    const { documentId } = await this.call("document.open", { name, size: blob.size, ...mediaType && { mediaType } }, { signal: options.signal });
    const call = (method, params) => this.call(method, params, { signal: options.signal });
    let failure;
    const off = this.on("document.failed", (e) => {
      if (e.documentId === documentId) failure = EidError.fromWire(e.error);
    });
    try {
      return await upload(this.connection, call, documentId, blob, options, () => failure);
    } catch (error) {
      this.closeDocument(documentId).catch(() => {
      });
      throw error;
    } finally {
      off();
    }
  }
  /** Fetches a document from the agent; size saves a request where it is known. */
  async readDocument(document, options = {}) {
    const parts = [];
    const reader = (await this.streamDocument(document, options)).getReader();
    for (let part = await reader.read(); !part.done; part = await reader.read()) parts.push(part.value);
    return new Blob(parts, options.type ? { type: options.type } : {});
  }
  /** The same as a stream, which holds a part of it at a time. */
  async streamDocument(document, options = {}) {
    const documentId = typeof document === "string" ? document : document.documentId;
    const known = typeof document === "string" ? void 0 : document.size;
    const call = (method, params) => this.call(method, params, { signal: options.signal });
    const size = known ?? (await call("document.info", { documentId })).size;
    return download(this.connection, call, documentId, size, options);
  }
  async closeDocument(documentId) {
    await this.call("document.close", { documentId });
  }
  /** Ends the connection for good; requests under way fail with CLOSED. */
  close() {
    if (this.stop.signal.aborted) return;
    const error = EidError.local("CLOSED");
    this.stop.abort(error);
    this.connection.close(error);
    this.setState("closed");
  }
  emit(kind, event) {
    for (const listener of [...this.listeners.get(kind) ?? []]) {
      try {
        listener(event);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
  setState(state) {
    if (this.state === state) return;
    this.state = state;
    this.emit("state", state);
  }
  setReaders(readers) {
    this.readers = readers;
    this.emit("readers", readers);
  }
  notified(method, params) {
    const own = params;
    if (method === "operation.progress") this.running.get(Number(own.id))?.onProgress?.(params);
    if (method === "operation.waiting") this.running.get(Number(own.id))?.onWaiting?.(params);
    if (!ownEvents.has(method)) this.emit(method, params);
    const changed = applied(this.readers, method, params);
    if (changed) this.setReaders(changed);
  }
};
function applied(readers, method, p) {
  const others = readers.filter((r) => r.name !== p.reader);
  const before = readers.find((r) => r.name === p.reader);
  const entry = (card) => ({ name: p.reader, ...(p.role ?? before?.role) !== void 0 && { role: p.role ?? before?.role }, card });
  const replace = (r) => before ? readers.map((other) => other === before ? r : other) : [...readers, r];
  switch (method) {
    case "reader.added":
      return before ? void 0 : replace(entry(null));
    case "reader.removed":
      return before ? others : void 0;
    case "card.inserted":
      return replace(entry({ cardId: p.cardId, kind: p.kind }));
    case "card.removed":
      return before?.card?.cardId === p.cardId ? replace(entry(null)) : void 0;
  }
  return void 0;
}
function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", abort);
      resolve();
    }, milliseconds);
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort, { once: true });
  });
}
function withSignal(promise, signal) {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

// src/eidkit.ts
function surroundings(given = {}) {
  const g = globalThis;
  const storage = () => {
    try {
      return g.localStorage;
    } catch {
      return void 0;
    }
  };
  return {
    WebSocket: g.WebSocket,
    fetch: g.fetch?.bind(g),
    permissions: g.navigator?.permissions,
    isSecureContext: g.isSecureContext,
    storage: g.document ? storage() : void 0,
    origin: g.location?.origin,
    document: g.document,
    ...given
  };
}
function connect(options = {}) {
  const env = surroundings(options.environment);
  const own = options.page && globalThis.location;
  const hosts = options.hosts ?? (own ? [own.hostname] : ["127.0.0.1", "[::1]"]);
  const tls = options.tls ?? (own ? own.protocol === "https:" : false);
  const usual = tls ? TLS_PORT : PORT;
  const ports = options.ports ?? [own ? Number(own.port) || usual : usual];
  const addresses = ports.flatMap((port) => hosts.map((host) => ({ host, port, tls })));
  return Agent.open({
    discover: {
      env,
      addresses,
      timeout: options.timeout ?? 5e3,
      promptTimeout: options.promptTimeout ?? 12e4,
      signal: options.signal,
      onPrompt: options.onPermissionPrompt,
      token: options.token
    },
    page: options.page,
    key: options.key,
    reconnect: options.reconnect ?? true
  });
}

// src/web-eid.ts
var config = Object.freeze({
  VERSION: "2.1.0",
  EXTENSION_HANDSHAKE_TIMEOUT: 1e3,
  NATIVE_APP_HANDSHAKE_TIMEOUT: 5e3,
  DEFAULT_USER_INTERACTION_TIMEOUT: 12e4,
  MAX_EXTENSION_LOAD_DELAY: 1e3
});
var ErrorCode = {
  ERR_WEBEID_ACTION_TIMEOUT: "ERR_WEBEID_ACTION_TIMEOUT",
  ERR_WEBEID_USER_TIMEOUT: "ERR_WEBEID_USER_TIMEOUT",
  ERR_WEBEID_VERSION_MISMATCH: "ERR_WEBEID_VERSION_MISMATCH",
  ERR_WEBEID_VERSION_INVALID: "ERR_WEBEID_VERSION_INVALID",
  ERR_WEBEID_EXTENSION_UNAVAILABLE: "ERR_WEBEID_EXTENSION_UNAVAILABLE",
  ERR_WEBEID_NATIVE_UNAVAILABLE: "ERR_WEBEID_NATIVE_UNAVAILABLE",
  ERR_WEBEID_UNKNOWN_ERROR: "ERR_WEBEID_UNKNOWN_ERROR",
  ERR_WEBEID_CONTEXT_INSECURE: "ERR_WEBEID_CONTEXT_INSECURE",
  ERR_WEBEID_USER_CANCELLED: "ERR_WEBEID_USER_CANCELLED",
  ERR_WEBEID_NATIVE_INVALID_ARGUMENT: "ERR_WEBEID_NATIVE_INVALID_ARGUMENT",
  ERR_WEBEID_NATIVE_FATAL: "ERR_WEBEID_NATIVE_FATAL",
  ERR_WEBEID_ACTION_PENDING: "ERR_WEBEID_ACTION_PENDING",
  ERR_WEBEID_MISSING_PARAMETER: "ERR_WEBEID_MISSING_PARAMETER"
};
var Action = {
  WARNING: "web-eid:warning",
  STATUS: "web-eid:status",
  STATUS_ACK: "web-eid:status-ack",
  STATUS_SUCCESS: "web-eid:status-success",
  STATUS_FAILURE: "web-eid:status-failure",
  AUTHENTICATE: "web-eid:authenticate",
  AUTHENTICATE_ACK: "web-eid:authenticate-ack",
  AUTHENTICATE_SUCCESS: "web-eid:authenticate-success",
  AUTHENTICATE_FAILURE: "web-eid:authenticate-failure",
  GET_SIGNING_CERTIFICATE: "web-eid:get-signing-certificate",
  GET_SIGNING_CERTIFICATE_ACK: "web-eid:get-signing-certificate-ack",
  GET_SIGNING_CERTIFICATE_SUCCESS: "web-eid:get-signing-certificate-success",
  GET_SIGNING_CERTIFICATE_FAILURE: "web-eid:get-signing-certificate-failure",
  SIGN: "web-eid:sign",
  SIGN_ACK: "web-eid:sign-ack",
  SIGN_SUCCESS: "web-eid:sign-success",
  SIGN_FAILURE: "web-eid:sign-failure"
};
var WebEidError = class extends Error {
  code;
  constructor(name, code, message, cause) {
    super(message, cause === void 0 ? void 0 : { cause });
    this.name = name;
    this.code = code;
  }
};
var ActionPendingError = class extends WebEidError {
  constructor(message = "the same action is still under way", cause) {
    super("ActionPendingError", "ERR_WEBEID_ACTION_PENDING", message, cause);
  }
};
var ActionTimeoutError = class extends WebEidError {
  constructor(message = "the action took too long", cause) {
    super("ActionTimeoutError", "ERR_WEBEID_ACTION_TIMEOUT", message, cause);
  }
};
var ContextInsecureError = class extends WebEidError {
  constructor(message = "the page needs https", cause) {
    super("ContextInsecureError", "ERR_WEBEID_CONTEXT_INSECURE", message, cause);
  }
};
var ExtensionUnavailableError = class extends WebEidError {
  constructor(message = "eidkit cannot be reached", cause) {
    super("ExtensionUnavailableError", "ERR_WEBEID_EXTENSION_UNAVAILABLE", message, cause);
  }
};
var MissingParameterError = class extends WebEidError {
  constructor(message = "a parameter is missing", cause) {
    super("MissingParameterError", "ERR_WEBEID_MISSING_PARAMETER", message, cause);
  }
};
var NativeFatalError = class extends WebEidError {
  constructor(message = "eidkit failed", cause) {
    super("NativeFatalError", "ERR_WEBEID_NATIVE_FATAL", message, cause);
  }
};
var NativeInvalidArgumentError = class extends WebEidError {
  constructor(message = "eidkit refused an argument", cause) {
    super("NativeInvalidArgumentError", "ERR_WEBEID_NATIVE_INVALID_ARGUMENT", message, cause);
  }
};
var NativeUnavailableError = class extends WebEidError {
  constructor(message = "eidkit cannot be reached", cause) {
    super("NativeUnavailableError", "ERR_WEBEID_NATIVE_UNAVAILABLE", message, cause);
  }
};
var UnknownError = class extends WebEidError {
  constructor(message = "something unknown went wrong", cause) {
    super("UnknownError", "ERR_WEBEID_UNKNOWN_ERROR", message, cause);
  }
};
var UserCancelledError = class extends WebEidError {
  constructor(message = "the user did not go on", cause) {
    super("UserCancelledError", "ERR_WEBEID_USER_CANCELLED", message, cause);
  }
};
var UserTimeoutError = class extends WebEidError {
  constructor(message = "the user took too long", cause) {
    super("UserTimeoutError", "ERR_WEBEID_USER_TIMEOUT", message, cause);
  }
};
var VersionInvalidError = class extends WebEidError {
  constructor(message = "a version cannot be read", cause) {
    super("VersionInvalidError", "ERR_WEBEID_VERSION_INVALID", message, cause);
  }
};
var VersionMismatchError = class extends WebEidError {
  requiresUpdate;
  constructor(message = "the versions do not fit", cause) {
    super("VersionMismatchError", "ERR_WEBEID_VERSION_MISMATCH", message, cause);
  }
};
var classes = {
  ERR_WEBEID_ACTION_TIMEOUT: ActionTimeoutError,
  ERR_WEBEID_USER_TIMEOUT: UserTimeoutError,
  ERR_WEBEID_VERSION_MISMATCH: VersionMismatchError,
  ERR_WEBEID_VERSION_INVALID: VersionInvalidError,
  ERR_WEBEID_EXTENSION_UNAVAILABLE: ExtensionUnavailableError,
  ERR_WEBEID_NATIVE_UNAVAILABLE: NativeUnavailableError,
  ERR_WEBEID_UNKNOWN_ERROR: UnknownError,
  ERR_WEBEID_CONTEXT_INSECURE: ContextInsecureError,
  ERR_WEBEID_USER_CANCELLED: UserCancelledError,
  ERR_WEBEID_NATIVE_INVALID_ARGUMENT: NativeInvalidArgumentError,
  ERR_WEBEID_NATIVE_FATAL: NativeFatalError,
  ERR_WEBEID_ACTION_PENDING: ActionPendingError,
  ERR_WEBEID_MISSING_PARAMETER: MissingParameterError
};
function translated(error) {
  if (error instanceof WebEidError) return error;
  if (!(error instanceof EidError)) return new UnknownError(error instanceof Error ? error.message : void 0, error);
  return new (classes[error.webEid] ?? UnknownError)(error.message, error);
}
var connectOptions = {};
var current;
function configure(options) {
  connectOptions = options;
  void current?.then((agent) => agent.close(), () => {
  });
  current = void 0;
}
async function reach(signal) {
  if (current) {
    const agent = await current.catch(() => void 0);
    if (agent?.state === "open") return agent;
  }
  const mine = current = connect({ ...connectOptions, reconnect: false, signal });
  try {
    return await mine;
  } catch (error) {
    if (current === mine) current = void 0;
    throw error;
  }
}
var pending = /* @__PURE__ */ new Set();
async function act(action, userTime2, run) {
  if (pending.has(action)) throw new ActionPendingError();
  pending.add(action);
  const limit = new AbortController();
  const time = config.EXTENSION_HANDSHAKE_TIMEOUT + config.NATIVE_APP_HANDSHAKE_TIMEOUT + userTime2;
  const timer = setTimeout(() => limit.abort(new ActionTimeoutError()), time);
  try {
    return await run(await reach(limit.signal), limit.signal);
  } catch (error) {
    throw translated(error);
  } finally {
    clearTimeout(timer);
    pending.delete(action);
  }
}
var userTime = (options) => options?.userInteractionTimeout ?? config.DEFAULT_USER_INTERACTION_TIMEOUT;
async function status() {
  try {
    const version = await act("status", config.DEFAULT_USER_INTERACTION_TIMEOUT, async (agent) => `${config.VERSION}+eidkit.${agent.info.version}`);
    return { library: config.VERSION, extension: version, nativeApp: version };
  } catch (error) {
    throw Object.assign(error, { library: config.VERSION });
  }
}
async function authenticate(challengeNonce, options) {
  if (!challengeNonce) throw new MissingParameterError("authenticate needs a challengeNonce");
  return act("authenticate", userTime(options), async (agent, signal) => {
    const { unverifiedCertificate, algorithm, signature, format, appVersion } = (await agent.login({ challengeNonce }, { signal })).token;
    return { unverifiedCertificate, algorithm, signature, format, appVersion };
  });
}
async function getSigningCertificate(options) {
  return act("get-signing-certificate", 2 * userTime(options), async (agent, signal) => {
    const { certificate, supportedSignatureAlgorithms } = await agent.signingCertificate({}, { signal });
    return { certificate, supportedSignatureAlgorithms };
  });
}
async function sign(certificate, hash, hashFunction, options) {
  for (const [name, value] of Object.entries({ certificate, hash, hashFunction })) {
    if (!value) throw new MissingParameterError(`sign needs a ${name}`);
  }
  return act("sign", 2 * userTime(options), async (agent, signal) => {
    const { signature, signatureAlgorithm } = await agent.signHash({ hash, hashFunction, certificate }, { signal });
    return { signature, signatureAlgorithm };
  });
}
export {
  Action,
  ActionPendingError,
  ActionTimeoutError,
  ContextInsecureError,
  ErrorCode,
  ExtensionUnavailableError,
  MissingParameterError,
  NativeFatalError,
  NativeInvalidArgumentError,
  NativeUnavailableError,
  UnknownError,
  UserCancelledError,
  UserTimeoutError,
  VersionInvalidError,
  VersionMismatchError,
  WebEidError,
  authenticate,
  config,
  configure,
  getSigningCertificate,
  sign,
  status
};
