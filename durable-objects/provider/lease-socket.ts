// Owns the sockets of leases' buyers: each is for one lease, and says who it is before anything else. It refuses whoever is not the
// lease's buyer, and frames that are none.

import { hexOf } from "../../evidence/bytes.ts";
import type { Hex } from "../../protocol/fields.ts";
import {
  type BuyerFrame,
  buyerFrame,
  CLOSE_LEASE_REFUSED,
  type LeaseFrame,
  MAX_LEASE_JOBS,
} from "../../protocol/lease-frames.ts";
import {
  CLOSE_MALFORMED,
  decodeFrames,
  encodeFrame,
  FrameSender,
  type Parts,
} from "../../protocol/provider-frames.ts";
import type { LeaseRunFrame } from "../../protocol/run-records.ts";
import { type SigningDomain, statementDigest } from "../../protocol/typed-data.ts";
import { type Caller, callerOf } from "./lease-caller.ts";
import type { LeaseTold } from "./lease-runs.ts";
import type { Prepared, ProviderLeases } from "./leases.ts";

/** Sockets of buyers that one object holds. */
const MOST_BUYERS = 256;

const NOTHING = new Uint8Array(0);

interface Standing {
  readonly lease: number;
  readonly challenge: Hex;
  /** Who it has shown to be, or null. */
  readonly caller: Caller | null;
}

interface Live {
  /** What the buyer has prepared, by its numbers. */
  readonly jobs: Map<number, Prepared>;
  readonly sender: FrameSender;
}

export interface LeaseSocketPorts {
  readonly ctx: DurableObjectState;
  readonly domain: SigningDomain;
  readonly region: string;
  readonly leases: ProviderLeases;
}

/** The buyers' end of a provider's object. */
export class LeaseSocket {
  readonly #ports: LeaseSocketPorts;
  /** Kept with the sockets too; reading that for every run would take longer than the rest. */
  readonly #standing = new WeakMap<WebSocket, Standing>();

  /** What is lost while the object sleeps. */
  readonly #live = new WeakMap<WebSocket, Live>();

  constructor(ports: LeaseSocketPorts) {
    this.#ports = ports;
  }

  /** Lets a buyer's socket in and challenges it; null when there are too many. */
  accept(lease: number): WebSocket | null {
    const { ctx } = this.#ports;
    if (ctx.getWebSockets("lease").length >= MOST_BUYERS) return null;
    const { 0: client, 1: server } = new WebSocketPair();
    const challenge = hexOf(crypto.getRandomValues(new Uint8Array(32)));
    ctx.acceptWebSocket(server, ["lease"]);
    this.#stand(server, { lease, challenge, caller: null });
    server.send(encodeFrame({ type: "challenge", challenge } satisfies LeaseFrame));
    return client;
  }

  /** Takes in a message. */
  async message(socket: WebSocket, message: string | ArrayBuffer): Promise<void> {
    const decoded = decodeFrames(buyerFrame, "lease_run", message);
    if ("malformed" in decoded) {
      close(socket, CLOSE_MALFORMED, `malformed: ${decoded.malformed}`);
      return;
    }
    for (const { frame, parts } of decoded.frames) {
      // The runs of one message are under way together; nothing waits for them here.
      if (frame.type === "lease_run") this.#run(socket, frame, parts);
      else await this.#take(socket, frame);
    }
  }

  #run(socket: WebSocket, { lease: named, run, job: number }: LeaseRunFrame, [input = NOTHING]: Parts): void {
    const { lease, caller } = this.#standingOf(socket);
    if (caller === null || named !== lease) {
      close(socket, CLOSE_LEASE_REFUSED, "say hello first");
      return;
    }
    const { jobs, sender } = this.#liveOf(socket);
    const job = jobs.get(number);
    if (job === undefined) sender.send({ type: "unprepared", run } satisfies LeaseFrame);
    else this.#ports.leases.start(lease, caller, job, input, (told) => answer(sender, run, told));
  }

  async #take(socket: WebSocket, frame: Exclude<BuyerFrame, LeaseRunFrame>): Promise<void> {
    const standing = this.#standingOf(socket);
    const { lease, challenge, caller } = standing;
    const { leases } = this.#ports;
    if (frame.type === "hello") return this.#hello(socket, frame, lease, challenge);
    if (caller === null) return close(socket, CLOSE_LEASE_REFUSED, "say hello first");
    if (frame.type === "voucher") {
      const { type: _type, ...voucher } = frame;
      const rejection = await leases.voucher(lease, voucher);
      if (rejection !== null) close(socket, CLOSE_LEASE_REFUSED, rejection.code);
      return;
    }
    const { jobs } = this.#liveOf(socket);
    jobs.set(frame.job, leases.prepare(frame.description));
    if (jobs.size > MAX_LEASE_JOBS) jobs.delete(jobs.keys().next().value as number);
  }

  #liveOf(socket: WebSocket): Live {
    let live = this.#live.get(socket);
    if (live === undefined) {
      live = { jobs: new Map(), sender: senderOf(socket) };
      this.#live.set(socket, live);
    }
    return live;
  }

  async #hello(
    socket: WebSocket,
    { sessionKey, signature }: { readonly sessionKey: Hex | null; readonly signature: Hex },
    lease: number,
    challenge: Hex,
  ): Promise<void> {
    const { domain, region, leases } = this.#ports;
    const digest = statementDigest(domain, "LeaseHello", { region, obligationId: lease, challenge });
    const caller = await callerOf(digest, signature, sessionKey);
    const opened = "rejection" in caller ? caller : await leases.open(lease, caller);
    if ("rejection" in opened) {
      close(socket, CLOSE_LEASE_REFUSED, opened.rejection.code);
      return;
    }
    this.#stand(socket, { lease, challenge, caller: caller as Caller });
    const { kept, creditMega } = opened;
    const { quantityMega, deadlineS } = kept.terms;
    this.#liveOf(socket).sender.send({
      type: "open",
      quantityMega,
      creditMega,
      deadlineS,
      tally: kept.tally,
    });
  }

  #stand(socket: WebSocket, standing: Standing): void {
    this.#standing.set(socket, standing);
    socket.serializeAttachment(standing);
  }

  #standingOf(socket: WebSocket): Standing {
    let standing = this.#standing.get(socket);
    if (standing === undefined) {
      standing = socket.deserializeAttachment() as Standing;
      this.#standing.set(socket, standing);
    }
    return standing;
  }
}

function answer(sender: FrameSender, run: number, told: LeaseTold): void {
  if ("rejection" in told) {
    const { code, facts } = told.rejection;
    sender.send({ type: "refused", run, code, facts } satisfies LeaseFrame);
  } else sender.send({ ...told.ran, run } satisfies LeaseFrame, told.parts);
}

function senderOf(socket: WebSocket): FrameSender {
  const send = (message: string | Uint8Array<ArrayBuffer>): void => {
    try {
      socket.send(message);
    } catch {
      // It closed in between; what was run is counted, and said again when it opens the lease anew.
    }
  };
  return new FrameSender(send, (work) => queueMicrotask(work));
}

function close(socket: WebSocket, code: number, reason: string): void {
  try {
    socket.close(code, reason.slice(0, 120));
  } catch {
    // Closed already.
  }
}
