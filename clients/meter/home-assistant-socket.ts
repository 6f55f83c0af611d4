// Owns the WebSocket to Home Assistant before and beneath the official client: it logs in, and lets only decoded messages
// through. It refuses messages that are too large, no JSON or not documented by closing, and never says the token.

import type { ConnectionOptions, HaWebSocket } from "home-assistant-js-websocket";
import { ERR_CANNOT_CONNECT, ERR_INVALID_AUTH } from "home-assistant-js-websocket";
import { WebSocket } from "ws";
import { greetingSchema, MAX_MESSAGE_BYTES, messagesSchema } from "./home-assistant-messages.ts";

/** Statistics have had times as numbers and units on demand since this version. */
const LEAST_VERSION = [2023, 4] as const;

export interface SocketRules {
  /** How long a login may take. */
  readonly answerMs: number;
  /** Ends a login, too. */
  readonly signal: AbortSignal;
  /** Told why a connection was closed. */
  readonly closed: (reason: string) => void;
}

/**
 * A `createSocket` for the official client, whose own trusts whatever it parses.
 * @returns rejects with ERR_INVALID_AUTH for a refused token, ERR_CANNOT_CONNECT for anything else
 */
export function socketMaker(rules: SocketRules): (options: ConnectionOptions) => Promise<HaWebSocket> {
  return async ({ auth }) => {
    if (auth === undefined) throw ERR_CANNOT_CONNECT;
    const socket = new WebSocket(auth.wsUrl, {
      maxPayload: MAX_MESSAGE_BYTES,
      handshakeTimeout: rules.answerMs,
      followRedirects: false,
    });
    const version = await loggedIn(socket, auth.accessToken, rules);
    return new DecodedSocket(socket, version, rules.closed) as unknown as HaWebSocket;
  };
}

/** Resolves to Home Assistant's version when the token is accepted. */
function loggedIn(
  socket: WebSocket,
  token: string,
  { answerMs, signal, closed }: SocketRules,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", stop);
    };
    const fail = (reason: string, code = ERR_CANNOT_CONNECT): void => {
      settle();
      socket.removeAllListeners("message");
      closed(reason);
      reject(code);
      socket.terminate();
    };
    const stop = (): void => fail("stopped");
    const timer = setTimeout(() => fail("no answer to the login"), answerMs);
    signal.addEventListener("abort", stop, { once: true });
    let isTokenSent = false;
    socket.on("error", (error) => fail(error.message));
    socket.once("close", () => fail("the connection was closed"));
    socket.on("message", (data, isBinary) => {
      const greeting = greetingSchema.safeParse(isBinary ? null : parsed(data.toString()));
      if (!greeting.success) return fail("not Home Assistant: an undocumented message came before the login");
      if (greeting.data.type === "auth_required") {
        if (isTokenSent) return fail("it asked for the token twice");
        isTokenSent = true;
        return socket.send(JSON.stringify({ type: "auth", access_token: token }));
      }
      if (greeting.data.type === "auth_invalid") return fail("the token was refused", ERR_INVALID_AUTH);
      const { ha_version } = greeting.data;
      if (!isRecent(ha_version)) return fail(`${ha_version} is too old: 2023.4 or later is needed`);
      settle();
      for (const event of ["message", "close"]) socket.removeAllListeners(event);
      resolve(ha_version);
    });
  });
}

/** What the official client needs of a socket, with nothing undecoded coming through. */
class DecodedSocket extends EventTarget {
  readonly OPEN = WebSocket.OPEN;
  readonly haVersion: string;
  readonly #socket: WebSocket;

  constructor(socket: WebSocket, version: string, closed: SocketRules["closed"]) {
    super();
    this.haVersion = version;
    this.#socket = socket;
    let reason = "the connection was closed";
    const fail = (why: string): void => {
      reason = why;
      socket.terminate();
    };
    socket.removeAllListeners("error");
    socket.on("error", (error) => fail(error.message));
    socket.on("message", (data, isBinary) => {
      const messages = messagesSchema.safeParse(isBinary ? null : parsed(data.toString()));
      if (!messages.success) return fail("an undocumented message came");
      this.dispatchEvent(new MessageEvent("message", { data: JSON.stringify(messages.data) }));
    });
    socket.once("close", () => {
      closed(reason);
      this.dispatchEvent(new Event("close"));
    });
  }

  get readyState(): number {
    return this.#socket.readyState;
  }

  send(text: string): void {
    this.#socket.send(text);
  }

  /** Closes at once: a server that does not answer would not answer a goodbye either. */
  close(): void {
    this.#socket.terminate();
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function isRecent(version: string): boolean {
  const [year = 0, month = 0] = version.split(".").map((part) => Number.parseInt(part, 10) || 0);
  return year > LEAST_VERSION[0] || (year === LEAST_VERSION[0] && month >= LEAST_VERSION[1]);
}
