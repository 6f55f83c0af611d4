// Owns a region's registry of meters as households prove against it: downloaded whole, so that nobody is told which meter
// is whose, and kept as a tree that differences bring up to date. It refuses leaves that do not have the root stated.

import type { Registry } from "../../protocol/answers.ts";
import { LeafTree } from "../../protocol/leaf-tree.ts";
import type { TreePath } from "../../protocol/quad-tree.ts";
import type { PolderClient } from "../sdk/client.ts";

/** A region states a root that is not its leaves'. A proof against either would be about a set nobody has seen. */
export class RegistryFault extends Error {
  override readonly name = "RegistryFault";
}

/** Answers kept: an agent that is late proves one window while others prove the next. */
const KEPT_WINDOWS = 2;

/** The registry of one region, for all meters of a process. */
export class RegionRegistry {
  readonly #client: PolderClient;
  readonly #region: string;
  readonly #answers = new Map<number, Promise<Registry>>();
  readonly #tree = new LeafTree();

  constructor(client: PolderClient, region: string) {
    this.#client = client;
    this.#region = region;
  }

  /**
   * The path of a leaf in the tree of the window that begins at `firstSlot`, or null where the leaf is not in it.
   * @param isFresh asks the region anew: an emergency may have taken leaves out of a window's tree.
   * @throws RegistryFault; PolderProblem, TransportFault
   */
  async pathOf(leaf: bigint, firstSlot: number, isFresh = false): Promise<TreePath | null> {
    const answer = await this.#answerOf(firstSlot, isFresh);
    // From here on nothing is awaited: others may want the tree of another window.
    const root = this.#tree.bringTo(answer.leaves);
    if (root !== answer.root) {
      this.#answers.delete(firstSlot);
      throw new RegistryFault(
        `the leaves of window ${firstSlot} have the root ${root ?? "of no tree"}, and ${this.#region} states ${answer.root}`,
      );
    }
    return this.#tree.pathOf(leaf);
  }

  #answerOf(firstSlot: number, isFresh: boolean): Promise<Registry> {
    const kept = this.#answers.get(firstSlot);
    if (kept !== undefined && !isFresh) return kept;
    const asked = this.#client.registry(this.#region, firstSlot);
    this.#answers.delete(firstSlot);
    this.#answers.set(firstSlot, asked);
    asked.catch(() => this.#answers.get(firstSlot) === asked && this.#answers.delete(firstSlot));
    for (const oldest of this.#answers.keys()) {
      if (this.#answers.size <= KEPT_WINDOWS) break;
      this.#answers.delete(oldest);
    }
    return asked;
  }
}
