// Owns the sockets of leases' buyers: each is for one lease, and says who it is before anything else. It refuses whoever is not the
// lease's buyer, and frames that are none.

import { hexOf } from "../../evidence/bytes.ts";
import type { Hex } from "../../protocol/fields.ts";
import { buyerFrame, CLOSE_LEASE_REFUSED, type LeaseFrame } from "../../protocol/lease-frames.ts";
import { CLOSE_MALFORMED, decodeFrame, encodeFrame, type Parts } from "../../protocol/provider-frames.ts";
import { type SigningDomain, statementDigest } from "../../protocol/typed-data.ts";
import { type Caller, type LeaseAnswer, type ProviderLeases, signerOf } from "./leases.ts";

/** Sockets of buyers that one object holds. */
const MOST_BUYERS = 256;

interface Standing {
  readonly lease: number;
  readonly challenge: Hex;
  /** Who it has shown to be, or null. */
  readonly caller: Caller | null;
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
    send(server, { type: "challenge", challenge });
    return client;
  }

  /** Takes in a message. */
  async message(socket: WebSocket, message: string | ArrayBuffer): Promise<void> {
    const decoded = decodeFrame(buyerFrame, message);
    if ("malformed" in decoded) {
      close(socket, CLOSE_MALFORMED, `malformed: ${decoded.malformed}`);
      return;
    }
    const { frame, parts } = decoded;
    const { lease, challenge, caller } = this.#standingOf(socket);
    const { leases } = this.#ports;
    if (frame.type === "hello") {
      await this.#hello(socket, frame, lease, challenge);
      return;
    }
    if (caller === null) {
      close(socket, CLOSE_LEASE_REFUSED, "say hello first");
      return;
    }
    if (frame.type === "voucher") {
      const { type: _type, ...voucher } = frame;
      const rejection = await leases.voucher(lease, voucher);
      if (rejection !== null) close(socket, CLOSE_LEASE_REFUSED, rejection.code);
      return;
    }
    const [input = new Uint8Array(0)] = parts;
    answer(socket, frame.id, await leases.run(lease, caller, frame.description, input));
  }

  async #hello(
    socket: WebSocket,
    { sessionKey, signature }: { readonly sessionKey: Hex | null; readonly signature: Hex },
    lease: number,
    challenge: Hex,
  ): Promise<void> {
    const { domain, region, leases } = this.#ports;
    const digest = statementDigest(domain, "LeaseHello", { region, obligationId: lease, challenge });
    const caller = await signerOf(digest, signature, sessionKey);
    const opened = "rejection" in caller ? caller : await leases.open(lease, caller);
    if ("rejection" in opened) {
      close(socket, CLOSE_LEASE_REFUSED, opened.rejection.code);
      return;
    }
    this.#stand(socket, { lease, challenge, caller: caller as Caller });
    const { kept, creditMega } = opened;
    const { quantityMega, deadlineS } = kept.terms;
    send(socket, { type: "open", quantityMega, creditMega, deadlineS, tally: kept.tally });
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

function answer(socket: WebSocket, id: number, told: LeaseAnswer): void {
  if ("rejection" in told) {
    const { code, facts } = told.rejection;
    send(socket, { type: "refused", id, code, facts });
    return;
  }
  const { end, exitCode, fuelUsed, trap, stdout, stderr } = told.result;
  send(socket, { type: "ran", id, end, exitCode, fuelUsed, trap }, [stdout, stderr]);
}

function send(socket: WebSocket, frame: LeaseFrame, parts: Parts = []): void {
  try {
    socket.send(encodeFrame(frame, parts));
  } catch {
    // It closed in between; what was run is counted, and said again when it opens the lease anew.
  }
}

function close(socket: WebSocket, code: number, reason: string): void {
  try {
    socket.close(code, reason.slice(0, 120));
  } catch {
    // Closed already.
  }
}
