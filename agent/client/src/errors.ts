/** The four languages in which there is a text for whoever waits. */
export type Language = "en" | "nl" | "fr" | "de";

/** One text in each language. */
export type Texts = Record<Language, string>;

/** What the agent answers when a request fails: the table in docs/protocol.md. */
export type AgentCode =
  | "NO_READER" | "NO_CARD" | "CARD_UNSUPPORTED" | "CARD_REMOVED" | "CARD_BUSY" | "READER_ERROR"
  | "PIN_WRONG" | "PIN_BLOCKED" | "PIN_CANCELLED" | "PIN_TIMEOUT"
  | "CONSENT_DENIED" | "NOT_AUTHORISED" | "ORIGIN_REFUSED"
  | "BUSY" | "TOO_LARGE" | "RATE_LIMITED" | "NETWORK_UNAVAILABLE" | "SERVICE_FAULT"
  | "CERTIFICATE_MISSING" | "CERTIFICATE_REVOKED" | "CERTIFICATE_EXPIRED"
  | "INVALID_ARGUMENT" | "INTERNAL";

/** What this library finds out itself, before or without an answer of the agent. */
export type LocalCode =
  | "AGENT_ABSENT" | "AGENT_UNPROVEN" | "PERMISSION_DENIED" | "PERMISSION_PROMPT" | "ORIGIN_REFUSED"
  | "CONTEXT_INSECURE" | "CONTENT_POLICY" | "CONNECTION_LOST" | "CLOSED";

export type Code = AgentCode | LocalCode;

interface LocalFault {
  retry: boolean;
  webEid: string;
  text: Texts;
}

/** The texts of what this library finds out itself; the agent sends those of its own errors along. */
export const localFaults: Record<LocalCode, LocalFault> = {
  AGENT_ABSENT: {
    retry: true, webEid: "ERR_WEBEID_EXTENSION_UNAVAILABLE",
    text: {
      en: "eidkit is not running on this computer. Start it or install it, or choose another way to sign in.",
      nl: "eidkit draait niet op deze computer. Start of installeer het, of kies een andere manier om aan te melden.",
      fr: "eidkit ne tourne pas sur cet ordinateur. Démarrez-le ou installez-le, ou choisissez une autre façon de vous identifier.",
      de: "eidkit läuft nicht auf diesem Computer. Starten oder installieren Sie es, oder wählen Sie einen anderen Weg zur Anmeldung.",
    },
  },
  AGENT_UNPROVEN: {
    retry: false, webEid: "ERR_WEBEID_NATIVE_UNAVAILABLE",
    text: {
      en: "The program that answers is not the eidkit that this page knows. If eidkit was not reinstalled here, have the computer looked at.",
      nl: "Het programma dat antwoordt, is niet de eidkit die deze pagina kent. Is eidkit hier niet opnieuw geïnstalleerd, laat de computer dan nakijken.",
      fr: "Le programme qui répond n’est pas l’eidkit que cette page connaît. Si eidkit n’a pas été réinstallé ici, faites vérifier l’ordinateur.",
      de: "Das Programm, das antwortet, ist nicht das eidkit, das diese Seite kennt. Wurde eidkit hier nicht neu installiert, lassen Sie den Computer prüfen.",
    },
  },
  PERMISSION_DENIED: {
    retry: false, webEid: "ERR_WEBEID_EXTENSION_UNAVAILABLE",
    text: {
      en: "The browser does not let this page reach programs on this computer. Click the icon left of the address, allow “Apps on device” (or “Local network access”) and reload the page.",
      nl: "De browser laat deze pagina niet toe bij programma’s op deze computer. Klik op het pictogram links van het adres, sta “Apps op apparaat” (of “Toegang tot lokaal netwerk”) toe en laad de pagina opnieuw.",
      fr: "Le navigateur interdit à cette page d’atteindre les programmes de cet ordinateur. Cliquez sur l’icône à gauche de l’adresse, autorisez « Applications sur l’appareil » (ou « Accès au réseau local ») et rechargez la page.",
      de: "Der Browser lässt diese Seite nicht an Programme auf diesem Computer. Klicken Sie auf das Symbol links neben der Adresse, erlauben Sie „Apps auf dem Gerät“ (oder „Zugriff auf das lokale Netzwerk“) und laden Sie die Seite neu.",
    },
  },
  PERMISSION_PROMPT: {
    retry: true, webEid: "ERR_WEBEID_EXTENSION_UNAVAILABLE",
    text: {
      en: "The browser asks whether this page may reach programs on this computer. Choose “Allow” so that it can use the card.",
      nl: "De browser vraagt of deze pagina bij programma’s op deze computer mag. Kies “Toestaan”, dan kan ze de kaart gebruiken.",
      fr: "Le navigateur demande si cette page peut atteindre les programmes de cet ordinateur. Choisissez « Autoriser » pour qu’elle puisse utiliser la carte.",
      de: "Der Browser fragt, ob diese Seite Programme auf diesem Computer erreichen darf. Wählen Sie „Zulassen“, damit sie die Karte benutzen kann.",
    },
  },
  ORIGIN_REFUSED: {
    retry: false, webEid: "ERR_WEBEID_CONTEXT_INSECURE",
    text: {
      en: "eidkit runs on this computer and refuses this website. Whoever manages the computer can allow it.",
      nl: "eidkit draait op deze computer en weigert deze website. Wie de computer beheert, kan ze toestaan.",
      fr: "eidkit tourne sur cet ordinateur et refuse ce site. La personne qui gère l’ordinateur peut l’autoriser.",
      de: "eidkit läuft auf diesem Computer und lehnt diese Website ab. Wer den Computer verwaltet, kann sie zulassen.",
    },
  },
  CONTEXT_INSECURE: {
    retry: false, webEid: "ERR_WEBEID_CONTEXT_INSECURE",
    text: {
      en: "This page came over plain http, so the browser keeps it away from the card. Open it with https.",
      nl: "Deze pagina kwam over gewone http, dus houdt de browser ze weg van de kaart. Open ze met https.",
      fr: "Cette page est arrivée en http simple : le navigateur la tient donc à l’écart de la carte. Ouvrez-la en https.",
      de: "Diese Seite kam über einfaches http, deshalb hält der Browser sie von der Karte fern. Öffnen Sie sie mit https.",
    },
  },
  CONTENT_POLICY: {
    retry: false, webEid: "ERR_WEBEID_EXTENSION_UNAVAILABLE",
    text: {
      en: "This website forbids itself to reach eidkit (Content-Security-Policy, connect-src). Tell whoever runs the site.",
      nl: "Deze website verbiedt zichzelf om eidkit te bereiken (Content-Security-Policy, connect-src). Meld het aan wie de site beheert.",
      fr: "Ce site s’interdit à lui-même d’atteindre eidkit (Content-Security-Policy, connect-src). Signalez-le à son exploitant.",
      de: "Diese Website verbietet sich selbst, eidkit zu erreichen (Content-Security-Policy, connect-src). Melden Sie es dem Betreiber.",
    },
  },
  CONNECTION_LOST: {
    retry: true, webEid: "ERR_WEBEID_NATIVE_UNAVAILABLE",
    text: {
      en: "The connection to eidkit broke. Try again.",
      nl: "De verbinding met eidkit is verbroken. Probeer het opnieuw.",
      fr: "La connexion à eidkit a été coupée. Réessayez.",
      de: "Die Verbindung zu eidkit ist abgerissen. Versuchen Sie es noch einmal.",
    },
  },
  CLOSED: {
    retry: false, webEid: "ERR_WEBEID_ACTION_TIMEOUT",
    text: {
      en: "The page has ended its connection to eidkit.",
      nl: "De pagina heeft haar verbinding met eidkit beëindigd.",
      fr: "La page a mis fin à sa connexion à eidkit.",
      de: "Die Seite hat ihre Verbindung zu eidkit beendet.",
    },
  },
};

/** The error object of JSON-RPC as the agent sends it. */
export interface WireError {
  code: number;
  message: string;
  data?: {
    code?: string;
    retry?: boolean;
    webEid?: string;
    text?: Partial<Texts>;
    triesLeft?: number;
    service?: string;
    holder?: string;
  };
}

/** A request that failed, or a connection that could not be made. */
export class EidError extends Error {
  /** The stable symbol to branch on. */
  readonly code: Code;
  /** The same request may do better without anybody changing a setting. */
  readonly retry: boolean;
  /** What to tell the user, in four languages. */
  readonly text: Texts;
  /** The code that Web eID has for it. */
  readonly webEid: string;
  /** PIN tries left, with PIN_WRONG. */
  readonly triesLeft?: number;
  /** The service's own code, with SERVICE_FAULT. */
  readonly service?: string;
  /** Who has the card, with CARD_BUSY. */
  readonly holder?: string;

  constructor(code: Code, message: string, more: { retry: boolean; webEid: string; text: Texts; triesLeft?: number; service?: string; holder?: string }) {
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
  textIn(language: string): string {
    return this.text[language.slice(0, 2).toLowerCase() as Language] ?? this.text.en;
  }

  /** One of the errors that this library finds out itself; detail is English, for developers. */
  static local(code: LocalCode, detail?: string): EidError {
    const fault = localFaults[code];
    return new EidError(code, detail ?? fault.text.en, fault);
  }

  /** An error as the agent sends it. */
  static fromWire(wire: WireError): EidError {
    const data = wire.data ?? {};
    const en = data.text?.en ?? wire.message;
    return new EidError((data.code ?? "INTERNAL") as Code, wire.message, {
      retry: data.retry ?? false,
      webEid: data.webEid ?? "ERR_WEBEID_UNKNOWN_ERROR",
      text: { en, nl: data.text?.nl ?? en, fr: data.text?.fr ?? en, de: data.text?.de ?? en },
      triesLeft: data.triesLeft, service: data.service, holder: data.holder,
    });
  }
}
