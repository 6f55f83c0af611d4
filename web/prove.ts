// Owns the life of the proving page: what somebody chooses, the run of the prover, and what is handed in. It refuses to
// prove where the page itself could have been changed on its way, and to send anything nobody asked it to.

import "./styles/frame.css";
import "./styles/panels.css";
import "./styles/prove.css";
import "./styles/narrow.css";
import type { ProvingStep } from "../circuits/proving-worker.ts";
import { DEFAULT_CLAIM_STEP_WH } from "../clients/household/claim-policy.ts";
import type { SignedWindowDocument } from "../clients/household/meter-documents.ts";
import { shownWindowOf } from "../evidence/meter-proof.ts";
import { parseApiKey } from "../evidence/session-signature.ts";
import { MAX_BODY_BYTES } from "../protocol/limits.ts";
import { readDeployment, readMarket, readRegions, readRegistry } from "./api.ts";
import { countText } from "./figures/amounts.ts";
import { readAddress } from "./page-address.ts";
import { readPolicy, showClaims } from "./panels/claims-panel.ts";
import { type Complaint, showDocuments, spanText } from "./panels/documents-panel.ts";
import { byId, setNotice, setText } from "./panels/element.ts";
import { showResults } from "./panels/results-panel.ts";
import { StepsPanel } from "./panels/steps-panel.ts";
import { fetchCircuit } from "./proving/circuit-files.ts";
import { failureWords } from "./proving/failure-words.ts";
import { sendWindow } from "./proving/hand-in.ts";
import { ProvingRun } from "./proving/proving-run.ts";
import { ProvingState } from "./proving/proving-state.ts";

const MEGABYTE = 1_000_000;
/** Below it the page says that a meter is easily guessed among the others. */
const FEW_METERS = 10;

class ProvePage {
  readonly #state: ProvingState;
  readonly #steps = new StepsPanel();
  #complaints: readonly Complaint[] = [];
  #run: ProvingRun | null = null;
  #isSending = false;

  constructor(state: ProvingState) {
    this.#state = state;
  }

  start(): void {
    byId<HTMLInputElement>("step").value = String(DEFAULT_CLAIM_STEP_WH);
    byId("files").addEventListener("change", ({ target }) => {
      const input = target as HTMLInputElement;
      // A copy: emptying the input, so that the same file can be chosen again, empties its list too.
      const chosen = [...(input.files ?? [])];
      input.value = "";
      void this.#take(chosen);
    });
    this.#listenToDrops(byId("drop"));
    byId("forget").addEventListener("click", () => {
      this.#run?.cancel();
      this.#complaints = [];
      this.#state.forget();
      this.#show();
    });
    byId("policy").addEventListener("input", () => {
      // What was proved was proved for another policy or account.
      this.#state.results.clear();
      this.#show();
    });
    byId("policy").addEventListener("submit", (event) => event.preventDefault());
    byId("prove").addEventListener("click", () => void this.#prove());
    byId("cancel").addEventListener("click", () => this.#run?.cancel());
    byId("send-form").addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#send();
    });
    this.#show();
  }

  #listenToDrops(box: HTMLElement): void {
    const mark = (isOver: boolean) => (event: DragEvent) => {
      event.preventDefault();
      box.classList.toggle("over", isOver);
    };
    box.addEventListener("dragover", mark(true));
    box.addEventListener("dragleave", mark(false));
    box.addEventListener("drop", (event) => {
      mark(false)(event);
      // What is being proved stays what it is.
      if (this.#run === null) void this.#take([...(event.dataTransfer?.files ?? [])]);
    });
  }

  async #take(files: readonly File[]): Promise<void> {
    const complaints: Complaint[] = [];
    for (const file of files) {
      const words =
        file.size > MAX_BODY_BYTES
          ? "It is too long to be one of these files."
          : this.#state.add(await file.text());
      if (words !== null) complaints.push({ file: file.name, words });
    }
    this.#complaints = complaints;
    this.#show();
  }

  /** Everything but the steps. */
  #show(): void {
    const state = this.#state;
    readPolicy(state);
    showDocuments(state, this.#complaints);
    showClaims(state, (firstSlot) => {
      state.shownSlot = firstSlot;
      this.#show();
    });
    showResults(state);
    const isRunning = this.#run !== null;
    const missing = this.#missing();
    byId<HTMLButtonElement>("prove").disabled = isRunning || missing !== null;
    byId("cancel").hidden = !isRunning;
    for (const id of ["step", "most", "account", "files"]) byId<HTMLInputElement>(id).disabled = isRunning;
    if (isRunning) return;
    const count = state.unproved().length;
    setText("prove", count > 1 ? `Prove ${count} windows` : "Prove");
    setText("prove-hint", missing ?? "Takes some seconds a window. Nothing is sent by proving.");
  }

  /** What is still needed before there is something to prove, or null. */
  #missing(): string | null {
    const { meter, windows, policy, account, results } = this.#state;
    if (!window.isSecureContext)
      return "This page came without encryption, so it could have been changed on its way to read your secret. Open it over https, or on this very machine.";
    if (meter === null && windows.size === 0)
      return "Choose your meter\u2019s file and a signed window first.";
    if (meter === null) return "Choose your meter\u2019s file too: the windows alone prove nothing.";
    if (windows.size === 0) return "Choose a window that your gateway signed.";
    if (policy === null) return "Say how much to claim, in whole Wh.";
    if (account === null)
      return "Say which account is paid: the proof names it, and is worth nothing to another.";
    if (this.#state.unproved().length > 0) return null;
    return results.size > 0 ? "Every window here is proved." : "None of these windows is this meter\u2019s.";
  }

  async #prove(): Promise<void> {
    const run = new ProvingRun();
    this.#run = run;
    setNotice("failure", null);
    this.#show();
    const waiting = this.#state.unproved();
    let isFirst = true;
    let meters: number | null = null;
    try {
      for (const [index, signed] of waiting.entries()) {
        const which = waiting.length > 1 ? ` (${index + 1} of ${waiting.length})` : "";
        setText("prove-hint", `${spanText(this.#state, signed.firstSlot)}${which}`);
        await this.#proveOne(run, signed, isFirst, (count) => {
          meters = count;
        });
        isFirst = false;
        this.#show();
      }
    } catch (error) {
      this.#steps.fail();
      setNotice("failure", failureWords(error, meters));
    } finally {
      run.end();
      this.#run = null;
      this.#show();
    }
  }

  /** Proves a window; the worker keeps the circuit of the first. */
  async #proveOne(
    run: ProvingRun,
    signed: SignedWindowDocument,
    isFirst: boolean,
    sayMeters: (count: number) => void,
  ): Promise<void> {
    const { meter, account, results, profile } = this.#state;
    const claimed = this.#state.claimsOf(signed);
    if (meter === null || account === null || claimed === null) throw new Error("nothing to prove with");
    const steps = this.#steps;
    const startedMs = performance.now();
    const { context, firstSlot, netWh, gateway, signature } = signed;
    steps.start();
    steps.begin("meters");
    const registry = await readRegistry(profile.region, firstSlot);
    run.signal.throwIfAborted();
    const meters = registry.leaves.filter((leaf) => BigInt(leaf) !== 0n).length;
    sayMeters(meters);
    steps.tell(countText(meters, "meter"));
    const artifacts = isFirst ? await this.#fetch(context.windowSlots, run.signal) : undefined;
    if (!isFirst)
      for (const step of ["circuit", "hash"] as const) steps.skip(step, "as for the window before");
    const { secret, limits } = meter;
    const { claims } = claimed;
    const inputs = { context, firstSlot, account, netWh, gateway, signature, secret, limits, claims };
    const order = { inputs, registry, ...(artifacts === undefined ? {} : { artifacts }) };
    const proved = await run.prove(order, (step: ProvingStep) => steps.begin(step));
    steps.finish();
    steps.stop();
    const seconds = (performance.now() - startedMs) / 1000;
    const shown = shownWindowOf(proved);
    results.set(firstSlot, { account, firstSlot, shown, seconds, entry: null, refusal: null });
  }

  #fetch(windowSlots: 4 | 96, signal: AbortSignal): ReturnType<typeof fetchCircuit> {
    this.#steps.begin("circuit");
    const megabytes = (bytes: number): string => (bytes / MEGABYTE).toFixed(1);
    return fetchCircuit(
      windowSlots,
      (received, total) =>
        this.#steps.tell(`${megabytes(received)} of ${megabytes(total)}\u202fMB`, received / total),
      signal,
    );
  }

  /** Hands in every window that was proved and not taken yet. */
  async #send(): Promise<void> {
    if (this.#isSending) return;
    const state = this.#state;
    const key = parseApiKey(byId<HTMLInputElement>("api-key").value.trim());
    const waiting = [...state.results.values()].filter(({ entry }) => entry === null);
    if (key === null) return setText("send-hint", "An API key is polder_ and 104 digits and letters a to f.");
    if (waiting.some(({ account }) => account !== key.account)) {
      return setText("send-hint", `This key is of the account ${key.account}, and the proof names another.`);
    }
    this.#isSending = true;
    setText("send-hint", "Sending…");
    for (const result of waiting) {
      try {
        const { entry } = await sendWindow(state.profile.region, key, result.firstSlot, result.shown);
        result.entry = entry;
        result.refusal = null;
      } catch (error) {
        result.refusal = failureWords(error);
      }
      this.#show();
    }
    this.#isSending = false;
    const refused = waiting.filter(({ refusal }) => refusal !== null).length;
    setText("send-hint", refused === 0 ? "Sent." : `${countText(refused, "window")} not taken.`);
  }
}

/** What a proof says of which meter it was. A region with few meters hides little. */
function anonymityWords(meters: number): string {
  if (meters < 2)
    return "that a meter of this region measured it; while it has only one, everybody knows which";
  const few = meters < FEW_METERS ? "; so few hide little" : "";
  return `that one of the region\u2019s ${countText(meters, "meter")} measured it, and not which${few}`;
}

/** The region to prove for: the one that the address names, else the first. */
async function findState(): Promise<ProvingState | string> {
  const { region, account } = readAddress(location.search);
  const [deployment, regions] = [await readDeployment(), await readRegions()];
  const profile = region === null ? regions[0] : regions.find((one) => one.region === region);
  if (profile === undefined)
    return region === null
      ? "No region has been opened here yet."
      : `There is no region named ${region} here.`;
  const market = await readMarket(profile.region);
  if (market === null) return "This region is registered, but its operator has not opened it yet.";
  byId<HTMLAnchorElement>("market-link").href = `/?region=${profile.region}`;
  setText("region-name", `${profile.name}, ${profile.place}`);
  document.title = `${profile.name}: prove a window`;
  setText("anonymity", anonymityWords(market.meters));
  if (account !== null) byId<HTMLInputElement>("account").value = account;
  return new ProvingState(profile, market, deployment);
}

try {
  const state = await findState();
  if (typeof state === "string") setNotice("notice", state);
  else new ProvePage(state).start();
} catch (error) {
  setNotice("notice", failureWords(error));
}
