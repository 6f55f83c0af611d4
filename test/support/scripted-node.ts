// Owns a provider's node that does what a test tells it, honest or not, over a real socket. It refuses to do anything by itself
// but to say hello.

import type { NodeKey } from "../../clients/provider/node-key.ts";
import { resultOf } from "../../compute/host/job.ts";
import type { Hex } from "../../protocol/fields.ts";
import {
  decodeObjectFrames,
  encodeFrame,
  type NodeFrame,
  type ObjectFrame,
  type Parts,
} from "../../protocol/provider-frames.ts";

type FrameOf<T extends ObjectFrame["type"]> = Extract<ObjectFrame, { type: T }>;
type Scripted = Pick<WebSocket, "send" | "close"> & {
  addEventListener(type: string, listener: (event: never) => void): void;
};

/** What a result says, for tests to bend. */
export interface Said {
  readonly stdout?: string;
  readonly fuelUsed?: number;
  readonly outputHash?: Hex;
  readonly fuelMega?: number;
  readonly jobDigest?: Hex;
  readonly salt?: Hex | null;
  readonly aboutObligation?: number;
  readonly signer?: NodeKey;
}

/** A node's end of a socket. */
export class ScriptedNode {
  readonly frames: { readonly frame: ObjectFrame; readonly parts: Parts }[] = [];
  closed: { readonly code: number; readonly reason: string } | null = null;
  readonly key: NodeKey;
  readonly #socket: Scripted;

  constructor(socket: unknown, key: NodeKey) {
    this.#socket = socket as Scripted;
    (socket as { binaryType: string }).binaryType = "arraybuffer";
    this.key = key;
    this.#socket.addEventListener("message", (({ data }: { data: string | ArrayBuffer }) => {
      const decoded = decodeObjectFrames(data);
      if ("malformed" in decoded) throw new Error(`the object sent no frame: ${decoded.malformed}`);
      this.frames.push(...decoded.frames);
    }) as (event: never) => void);
    this.#socket.addEventListener("close", (({ code, reason }: { code: number; reason: string }) => {
      this.closed = { code, reason };
    }) as (event: never) => void);
  }

  /** All frames of a type so far. */
  of<T extends ObjectFrame["type"]>(type: T): FrameOf<T>[] {
    return this.frames.flatMap(({ frame }) => (frame.type === type ? [frame as FrameOf<T>] : []));
  }

  send(frame: NodeFrame, parts: Parts = []): void {
    this.#socket.send(encodeFrame(frame, parts));
  }

  sendRaw(message: string | Uint8Array<ArrayBuffer>): void {
    this.#socket.send(message);
  }

  /** Says who it is, in answer to the challenge that has come. */
  hello(holds: readonly number[] = [], bend: Partial<Extract<NodeFrame, { type: "hello" }>> = {}): void {
    const challenge = this.of("challenge")[0]?.challenge as Hex;
    this.send({ ...this.key.hello(challenge, 2, holds), ...bend } as NodeFrame);
  }

  accept(obligationId: number): void {
    this.send({ type: "accepted", obligationId });
  }

  /** The frame of a result with its outputs. */
  result(run: FrameOf<"run">, said: Said = {}): [NodeFrame, Parts] {
    const { stdout = "done\n", fuelUsed = 1_500_000, signer = this.key } = said;
    const parts: Parts = [new TextEncoder().encode(stdout), new Uint8Array(0)];
    const ending = { end: "exited", exitCode: 0, fuelUsed, trap: null } as const;
    const { outputHash } = resultOf({
      ...ending,
      stdout: parts[0] as Uint8Array,
      stderr: parts[1] as Uint8Array,
    });
    const report = signer.report(
      {
        obligationId: said.aboutObligation ?? run.obligationId,
        deadlineS: run.deadlineS,
        jobDigest: said.jobDigest ?? run.jobDigest,
      },
      said.fuelMega ?? Math.ceil(fuelUsed / 1e6),
      said.outputHash ?? `0x${outputHash}`,
    );
    const salt =
      said.salt === undefined ? (run.commitFirst ? this.key.salt(run.obligationId) : null) : said.salt;
    return [{ type: "result", obligationId: run.obligationId, ...ending, salt, report }, parts];
  }

  sendResult(run: FrameOf<"run">, said: Said = {}): void {
    this.send(...this.result(run, said));
  }

  leave(): void {
    this.#socket.close(1000, "");
  }
}
