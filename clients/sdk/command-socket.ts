// Owns a caller's socket for signed commands: many on their way at once, reconnected when it breaks, and what was not
// answered is sent again as it was signed. It refuses evidence, which goes by POST, and work after it was closed.

import { MAX_COMMANDS_IN_FLIGHT } from "../../protocol/limits.ts";
import { isAcceptedAnswer, recordOf } from "./answer-shape.ts";
import type { Accepted, Draft, PolderClient } from "./client.ts";
import { isLasting, type PolderProblem, pauseMs, problemIn, TransportFault } from "./problem.ts";
import type { Signer } from "./signer.ts";

export interface CommandSocketOptions {
  /** How often a transient refusal, or a connection that could not be made, is tried again. */
  readonly retries?: number;
}

interface Sent {
  readonly id: number;
  readonly text: string;
  readonly resolve: (accepted: Accepted) => void;
  readonly reject: (error: Error) => void;
  attempts: number;
}

/** A socket to one region. It connects by itself, at the first command and after every break. */
export class CommandSocket {
  readonly #client: PolderClient;
  readonly #region: string;
  readonly #retries: number;
  #socket: WebSocket | null = null;
  #isOpen = false;
  #isClosed = false;
  #failures = 0;
  #lastId = 0;
  /** Commands without an answer, in their order; those in `#flying` have been sent on this connection. */
  readonly #unanswered = new Map<number, Sent>();
  readonly #flying = new Set<number>();

  constructor(client: PolderClient, region: string, { retries = 5 }: CommandSocketOptions = {}) {
    this.#client = client;
    this.#region = region;
    this.#retries = retries;
  }

  /**
   * Completes, signs and sends a command.
   * @throws PolderProblem when it is refused; TransportFault when no connection could be made, or after `close`.
   */
  async submit(signer: Signer, draft: Draft): Promise<Accepted> {
    const signed = await this.#client.sign(this.#region, signer, draft);
    return this.send(signed);
  }

  /** Sends a command that is signed already. */
  send(signed: Awaited<ReturnType<PolderClient["sign"]>>): Promise<Accepted> {
    if (this.#isClosed) return Promise.reject(new TransportFault("this socket was closed"));
    this.#lastId += 1;
    const id = this.#lastId;
    const text = JSON.stringify({ id, ...signed });
    return new Promise((resolve, reject) => {
      this.#unanswered.set(id, { id, text, resolve, reject, attempts: 0 });
      this.#pump();
    });
  }

  /** Closes it; what has no answer yet fails, though it may be accepted. */
  close(): void {
    this.#isClosed = true;
    this.#socket?.close();
    this.#failAll(new TransportFault("this socket was closed"));
  }

  /** Sends what waits, as far as the gateway lets one socket have commands on their way. */
  #pump(): void {
    if (!this.#isOpen) {
      this.#connect();
      return;
    }
    for (const { id, text } of this.#unanswered.values()) {
      if (this.#flying.size >= MAX_COMMANDS_IN_FLIGHT) return;
      if (this.#flying.has(id)) continue;
      this.#flying.add(id);
      this.#socket?.send(text);
    }
  }

  #connect(): void {
    if (this.#socket !== null || this.#isClosed) return;
    const socket = new WebSocket(
      `${this.#client.url.replace(/^http/, "ws")}/v1/regions/${this.#region}/commands`,
    );
    this.#socket = socket;
    socket.onopen = () => {
      this.#isOpen = true;
      this.#pump();
    };
    socket.onmessage = ({ data }) => this.#take(String(data));
    // A socket that cannot be made closes, too.
    socket.onclose = () => this.#broken();
  }

  #take(text: string): void {
    const answer = recordOf(text);
    const problem = problemIn(answer?.problem);
    const isAccepted = isAcceptedAnswer(answer?.accepted);
    if (answer === null || (problem === null && !isAccepted)) {
      // No gateway of ours says that. It counts as a break, so that its like is not asked for ever.
      this.#socket?.close();
      return;
    }
    const sent = this.#unanswered.get(answer.id as number);
    if (sent === undefined) return;
    this.#failures = 0;
    this.#flying.delete(sent.id);
    if (isAccepted) {
      this.#unanswered.delete(sent.id);
      sent.resolve(answer.accepted as Accepted);
    } else this.#refused(sent, problem as PolderProblem);
    this.#pump();
  }

  #refused(sent: Sent, error: PolderProblem): void {
    this.#unanswered.delete(sent.id);
    if (isLasting(error) || sent.attempts >= this.#retries) {
      sent.reject(error);
      return;
    }
    sent.attempts += 1;
    setTimeout(
      () => {
        if (this.#isClosed) return sent.reject(error);
        this.#unanswered.set(sent.id, sent);
        this.#pump();
      },
      pauseMs(error, sent.attempts - 1),
    );
  }

  /** The connection broke: everything unanswered goes out again on the next one. */
  #broken(): void {
    this.#socket = null;
    this.#isOpen = false;
    this.#flying.clear();
    if (this.#isClosed || this.#unanswered.size === 0) return;
    const fault = new TransportFault(`no connection to ${this.#client.url}`);
    if (this.#failures >= this.#retries) {
      this.#failures = 0;
      this.#failAll(fault);
      return;
    }
    this.#failures += 1;
    setTimeout(() => this.#pump(), pauseMs(fault, this.#failures - 1));
  }

  #failAll(error: TransportFault): void {
    const waiting = [...this.#unanswered.values()];
    this.#unanswered.clear();
    for (const { reject } of waiting) reject(error);
  }
}
