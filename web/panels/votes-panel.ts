// Owns the panel of votes: what is proposed, how it stands, and what it would have changed for whoever looks. It refuses to ask
// where a deployment follows no vote, and to vote: that takes a wallet.

import { PolderProblem } from "../../clients/sdk/problem.ts";
import { VoteClient } from "../../clients/sdk/vote-client.ts";
import type { PreviewAnswer } from "../../protocol/preview-answer.ts";
import type { ProposalAnswer } from "../../protocol/vote-answer.ts";
import { client } from "../api.ts";
import { moneyText } from "../figures/amounts.ts";
import { effectHints, effectLines, quorumText, sharePercent, stateText, tokens } from "../figures/votes.ts";
import type { PageState } from "../page-state.ts";
import { byId, make } from "./element.ts";

/** Chain blocks are seconds apart, and a vote lasts days. Wall time. */
const READ_MS = 10_000;
/** The newest; all of them are in the API. */
const MOST_SHOWN = 8;

export class VotesPanel {
  readonly #state: PageState;
  readonly #votes = new VoteClient(client);
  /** What somebody asked to see the effect of. */
  readonly #effects = new Map<string, HTMLElement>();
  #shown = "";

  constructor(state: PageState) {
    this.#state = state;
  }

  /** Reads now and again; a deployment that does not answer is read again. */
  async run(hasVotes: boolean): Promise<void> {
    if (!hasVotes) return;
    for (;;) {
      try {
        this.#show((await this.#votes.proposals()).slice(0, MOST_SHOWN));
      } catch {
        // What is shown stays: nothing about a vote changes within seconds.
      }
      await new Promise((resolve) => setTimeout(resolve, READ_MS));
    }
  }

  #show(proposals: readonly ProposalAnswer[]): void {
    byId("votes-card").hidden = false;
    byId("votes-hint").hidden = proposals.length > 0;
    const text = JSON.stringify(proposals);
    if (text === this.#shown) return;
    this.#shown = text;
    byId("votes").replaceChildren(...proposals.map((proposal) => this.#item(proposal)));
  }

  #item(proposal: ProposalAnswer): HTMLElement {
    const { id, title, calls } = proposal;
    const item = make(
      "li",
      { "data-proposal": id },
      make(
        "div",
        { class: "vote-head" },
        make("b", {}, title),
        make("span", { class: "vote-state" }, stateText(proposal)),
      ),
      ...standing(proposal),
      make("ul", { class: "vote-calls" }, ...calls.map(({ words }) => make("li", {}, words))),
      ...this.#effect(proposal),
    );
    return item;
  }

  #effect({ id, changes }: ProposalAnswer): HTMLElement[] {
    if (!changes.some(({ region }) => region === this.#state.profile.region)) return [];
    const known = this.#effects.get(id);
    if (known !== undefined) return [known];
    const box = make("div", { class: "vote-effect" });
    const button = make("button", { type: "button", class: "small" }, "What would it have changed?");
    button.addEventListener("click", () => void this.#showEffect(id, box, button));
    box.append(button);
    this.#effects.set(id, box);
    return [box];
  }

  async #showEffect(id: string, box: HTMLElement, button: HTMLButtonElement): Promise<void> {
    button.disabled = true;
    const { who, profile } = this.#state;
    try {
      const previews = await this.#votes.preview(id, who === null ? {} : { account: who });
      const preview = previews.find(({ region }) => region === profile.region);
      box.replaceChildren(button, ...(preview === undefined ? [] : this.#shownEffect(preview)));
    } catch (error) {
      const isYoung = error instanceof PolderProblem && error.code === "epoch_not_found";
      const words = isYoung ? "No past epoch can show it yet." : "It cannot be shown now; try again later.";
      box.replaceChildren(button, make("p", { class: "hint" }, words));
    } finally {
      button.disabled = false;
    }
  }

  #shownEffect(preview: PreviewAnswer): HTMLElement[] {
    const hints = effectHints(preview).map((hint) => make("p", { class: "hint" }, hint));
    return [this.#table(preview), ...hints];
  }

  #table(preview: PreviewAnswer): HTMLElement {
    const money = (micros: number): string => moneyText(micros, this.#state.profile.currency);
    const rows = effectLines(preview, money).map(({ label, paid, preview: then, isChanged }) =>
      make(
        "tr",
        isChanged ? { class: "strong" } : {},
        make("th", { scope: "row" }, label),
        make("td", {}, paid),
        make("td", {}, then),
      ),
    );
    const head = make(
      "tr",
      {},
      make("td", {}, `The last ${preview.epochs.length} epochs`),
      make("th", { scope: "col" }, "were paid"),
      make("th", { scope: "col" }, "would have been"),
    );
    return make("table", { class: "facts" }, make("thead", {}, head), make("tbody", {}, ...rows));
  }
}

function standing(proposal: ProposalAnswer): HTMLElement[] {
  const { votes } = proposal;
  const percent = sharePercent(proposal);
  const bar = make("progress", {
    max: "100",
    value: String(percent ?? 0),
    "aria-label": percent === null ? "Nobody has voted yet" : `${percent} percent for it`,
  });
  const words = `${tokens(votes.for)} for, ${tokens(votes.against)} against, ${tokens(votes.abstain)} abstained`;
  return [bar, make("p", { class: "hint" }, `${words}. ${quorumText(proposal)}.`)];
}
