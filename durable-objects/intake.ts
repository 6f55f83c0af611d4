// Owns the command sockets of a region: it decodes and verifies what they send, and hands the region everything of one
// turn in one call. It refuses evidence, whose checks would hold up the other sockets, and a socket that sends rubbish.

import { DurableObject } from "cloudflare:workers";
import { z } from "zod";
import { anySigned, type SignedCommand, type Submission, verifySigned } from "../evidence/signed-command.ts";
import { type Problem, problemOf, type Rejection, rejected } from "../protocol/errors.ts";
import {
  MAX_BODY_BYTES,
  MAX_COMMANDS_IN_FLIGHT,
  MAX_COMMANDS_PER_CALL,
  MAX_REFUSALS_PER_SOCKET,
  MAX_SOCKETS_PER_INTAKE,
} from "../protocol/limits.ts";
import { malformedRequest } from "../protocol/malformed.ts";
import { type Env, signingDomain } from "./environment.ts";
import type { Answer, Outcome } from "./outcome.ts";

/** Close code of a socket that was refused too often in a row (RFC 6455: policy violation). */
export const CLOSE_REFUSED = 1008;

/** A command on a socket: a signed command, and the caller's number for it. */
const frameSchema = anySigned.extend({ id: z.int().min(0).max(Number.MAX_SAFE_INTEGER) });

/** What a socket is answered: the number it gave, or null where none could be read. */
export type SocketAnswer =
  | { readonly id: number; readonly accepted: Answer }
  | { readonly id: number | null; readonly problem: Problem };

/** Verified, or refused before the region was asked. */
type Verified = { readonly submission: Submission } | { readonly rejection: Rejection };

interface Waiting {
  readonly socket: WebSocket;
  readonly id: number;
  readonly verified: Promise<Verified>;
}

interface Standing {
  /** Commands that wait for an answer. */
  inFlight: number;
  /** Refusals in a row. */
  refusals: number;
}

/** One shard of a region's intake; its name is `<region>/<shard>`. */
export class Intake extends DurableObject<Env> {
  /** Only in memory: hibernation needs seconds without a message, and then nothing is in flight. */
  readonly #standing = new WeakMap<WebSocket, Standing>();
  /** The region that this shard takes commands for. */
  readonly #region: string;
  #queue: Waiting[] = [];
  #isBusy = false;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#region = ctx.id.name?.split("/")[0] ?? "";
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair("ping", "pong"));
  }

  /** How many sockets there are. */
  sockets(): number {
    return this.ctx.getWebSockets().length;
  }

  /** Accepts a socket, or answers 503 when the shard is full; the gateway then tries the next one. */
  override fetch(): Response {
    if (this.sockets() >= MAX_SOCKETS_PER_INTAKE) return new Response(null, { status: 503 });
    const { 0: client, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server);
    return new Response(null, { status: 101, webSocket: client });
  }

  override webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): void {
    const decoded = decodeFrame(message);
    if ("rejection" in decoded) {
      this.#refuse(socket, decoded.id, decoded.rejection);
      return;
    }
    const standing = this.#standingOf(socket);
    if (standing.inFlight >= MAX_COMMANDS_IN_FLIGHT) {
      this.#refuse(socket, decoded.id, rejected("overloaded", { inFlight: standing.inFlight }));
      return;
    }
    standing.inFlight += 1;
    this.#queue.push({ socket, id: decoded.id, verified: this.#verify(decoded.signed) });
    this.#arm();
  }

  override webSocketClose(socket: WebSocket): void {
    close(socket, 1000, "");
  }

  /** Never throws: one command's fault must not take the answers of its neighbours. */
  async #verify(signed: SignedCommand): Promise<Verified> {
    try {
      const verdict = await verifySigned(signingDomain(this.env), this.#region, signed);
      return verdict.ok
        ? { submission: verdict.submission }
        : { rejection: rejected(verdict.code, verdict.facts) };
    } catch (fault) {
      console.error("a command could not be verified", fault);
      return { rejection: rejected("internal_fault") };
    }
  }

  #arm(): void {
    if (this.#isBusy || this.#queue.length === 0) return;
    this.#isBusy = true;
    setTimeout(() => this.#flush(), 0);
  }

  /** One call for everything that waits; the next one only when this one is answered, so that order is kept. */
  async #flush(): Promise<void> {
    const batch = this.#queue.splice(0, MAX_COMMANDS_PER_CALL);
    const verified = await Promise.all(batch.map((waiting) => waiting.verified));
    const submissions = verified.flatMap((found) => ("submission" in found ? [found.submission] : []));
    const outcomes = await this.#decide(submissions);
    let next = 0;
    batch.forEach(({ socket, id }, index) => {
      const found = verified[index] as Verified;
      const standing = this.#standingOf(socket);
      standing.inFlight -= 1;
      if ("rejection" in found) {
        this.#refuse(socket, id, found.rejection);
        return;
      }
      standing.refusals = 0;
      send(socket, frameOf(id, outcomes[next] as string));
      next += 1;
    });
    this.#isBusy = false;
    this.#arm();
  }

  /** JSON of each command's outcome. */
  async #decide(submissions: readonly Submission[]): Promise<readonly string[]> {
    if (submissions.length === 0) return [];
    try {
      return await this.env.REGION.getByName(this.#region).submitAll(JSON.stringify(submissions));
    } catch (fault) {
      // Whether they were accepted is not known; sent again they get their first answer, or are decided now.
      console.error("a region did not answer its intake", fault);
      const outcome = JSON.stringify({ rejection: rejected("internal_fault") } satisfies Outcome);
      return submissions.map(() => outcome);
    }
  }

  /** Refused before the region was asked. */
  #refuse(socket: WebSocket, id: number | null, rejection: Rejection): void {
    send(socket, JSON.stringify({ id, problem: problemOf(rejection) } satisfies SocketAnswer));
    const standing = this.#standingOf(socket);
    standing.refusals += 1;
    if (standing.refusals >= MAX_REFUSALS_PER_SOCKET) close(socket, CLOSE_REFUSED, rejection.code);
  }

  #standingOf(socket: WebSocket): Standing {
    let standing = this.#standing.get(socket);
    if (standing === undefined) {
      standing = { inFlight: 0, refusals: 0 };
      this.#standing.set(socket, standing);
    }
    return standing;
  }
}

type Frame =
  | { readonly id: number; readonly signed: SignedCommand }
  | { readonly id: number | null; readonly rejection: Rejection };

/** A message as a command, or why it is none. What needs long checks is told apart here, before any is made. */
function decodeFrame(message: string | ArrayBuffer): Frame {
  if (typeof message !== "string") {
    return { id: null, rejection: rejected("malformed_request", { path: "", expected: "a text frame" }) };
  }
  // UTF-16 units: never more than bytes, and what is let through is bounded either way.
  if (message.length > MAX_BODY_BYTES)
    return { id: null, rejection: rejected("body_too_large", { limitBytes: MAX_BODY_BYTES }) };
  let value: unknown;
  try {
    value = JSON.parse(message);
  } catch {
    return { id: null, rejection: rejected("malformed_json") };
  }
  const decoded = frameSchema.safeParse(value);
  if (!decoded.success) return { id: idOf(value), rejection: malformedRequest(decoded.error) };
  const { id, ...signed } = decoded.data;
  const { type } = signed.command;
  if (signed.evidence !== undefined || type === "submit_readings" || type === "enrol_meter")
    return { id, rejection: rejected("evidence_by_post_only", { type }) };
  // Registering and opening belong together, at a path of their own.
  if (type === "open_region") return { id, rejection: rejected("not_operator", { path: "/v1/regions" }) };
  return { id, signed };
}

function idOf(value: unknown): number | null {
  const id = (value as { readonly id?: unknown } | null)?.id;
  return Number.isSafeInteger(id) ? (id as number) : null;
}

const ANSWER = '{"answer":';

/** An outcome as its caller gets it. An accepted answer is passed on as it came, without being read. */
function frameOf(id: number, outcome: string): string {
  if (outcome.startsWith(ANSWER)) return `{"id":${id},"accepted":${outcome.slice(ANSWER.length)}`;
  const { rejection } = JSON.parse(outcome) as { readonly rejection: Rejection };
  return JSON.stringify({ id, problem: problemOf(rejection) } satisfies SocketAnswer);
}

function send(socket: WebSocket, text: string): void {
  try {
    socket.send(text);
  } catch {
    // It closed while its command was on its way; sent again, the command gets the same answer.
  }
}

function close(socket: WebSocket, code: number, reason: string): void {
  try {
    socket.close(code, reason);
  } catch {
    // Closed already.
  }
}
