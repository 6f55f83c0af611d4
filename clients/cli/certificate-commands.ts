// Owns the commands about certificates: committing to a secret, making one, checking one. It refuses a secret on the command
// line and in the environment: it is drawn here and stays in its file.

import { readFileSync, writeFileSync } from "node:fs";
import { type Command, Option } from "commander";
import { readProvingArtifacts, readVerificationKey } from "../../circuits/artifacts.ts";
import { drawSecret } from "../../circuits/household-secret.ts";
import { CIRCUITS, publicElementsOf } from "../../circuits/manifest.ts";
import { endSnarkThreads } from "../../circuits/snark-threads.ts";
import { Groth16Verifier } from "../../evidence/groth16.ts";
import { readGroth16Key } from "../../evidence/groth16-key.ts";
import { secretCommitment } from "../../evidence/meter-statement.ts";
import type { Hex } from "../../protocol/fields.ts";
import { type Certificate, parseCertificate } from "../certificate/certificate-file.ts";
import { refuseCertificate } from "../certificate/check.ts";
import { energyText } from "../certificate/energy-amount.ts";
import { candidatesOf, type EpochRecords, readEpoch } from "../certificate/epoch-records.ts";
import { gateCall } from "../certificate/gate-call.ts";
import { findLeaf, makeCertificate } from "../certificate/make.ts";
import { openSecrets } from "../certificate/secret-file.ts";
import { type Place, placeOf, walletFromEnvironment, withPlace } from "./context.ts";
import { instant } from "./figures.ts";
import { address, audience, energy, whole, word } from "./options.ts";

interface Kept extends Place {
  readonly keep: string;
}

interface MakeOptions extends Kept {
  readonly atLeast: number;
  readonly epoch: number;
  readonly for: string;
  readonly bought?: boolean;
  readonly account?: Hex;
  readonly out?: string;
}

interface CheckOptions extends Place {
  readonly for?: string;
  readonly root?: Hex;
  readonly json?: boolean;
}

/** Adds `certificate commit | make | check | encode`. */
export function certificateCommands(program: Command): void {
  const certificate = program
    .command("certificate")
    .description("show that an account sold or bought at least so much, without saying which account");
  const keeping = (command: Command): Command =>
    withPlace(command).option(
      "--keep <file>",
      "where secrets are kept, readable by you alone",
      "polder-certificate.ndjson",
    );
  keeping(
    certificate
      .command("commit")
      .description(
        "draw a secret, keep it, and commit to it with POLDER_WALLET_KEY; counts from the running epoch on",
      ),
  )
    .option("--renew", "draw another one; certificates about closed epochs still need the old one")
    .action(commit);
  keeping(
    certificate.command("make").description("make a certificate about a closed epoch, for whoever asks"),
  )
    .requiredOption("--at-least <amount>", "what is shown and no more, such as 500kWh or 0.5MWh", energy)
    .requiredOption("--epoch <n>", "a closed epoch", whole(0, Number.MAX_SAFE_INTEGER))
    .requiredOption("--for <name>", "who asks, exactly as they call themselves", audience)
    .addOption(new Option("--sold", "of what was sold (the default)").conflicts("bought"))
    .option("--bought", "of what was bought")
    .option("--account <address>", "whose, where the file keeps several accounts", address)
    .option("--out <file>", "write it here; otherwise it is printed")
    .action(make);
  withPlace(
    certificate
      .command("check")
      .description("check certificates, and say what they establish; ends with status 1 where they do not")
      .argument("<files...>", "certificates; one account that shows two of an epoch is seen"),
  )
    .option("--for <name>", "your own name: refuse what was made for anybody else", audience)
    .option(
      "--root <hex>",
      "the epoch's root where you know it (polder audit derives it), instead of the region's word",
      word,
    )
    .option("--json", "as JSON")
    .action(check);
  certificate
    .command("encode")
    .description(
      "print the call data with which an asker's contract uses it at the on-chain gate (CertificateGate.use)",
    )
    .argument("<file>", "a certificate")
    .action((file: string) => console.log(gateCall(parseCertificate(readFileSync(file, "utf8")))));
}

async function commit(options: Kept & { readonly renew?: boolean }): Promise<void> {
  const signer = walletFromEnvironment();
  const { client, region } = await placeOf(options);
  const { chainId, settlement } = await client.deployment();
  const market = await client.market(region);
  const kept = openSecrets(options.keep, { chainId, settlement, region }, signer.account);
  let commitment = options.renew === true ? undefined : kept.secrets.at(-1)?.commitment;
  if (commitment === undefined) {
    const secret = drawSecret();
    commitment = secretCommitment(secret).toString();
    const { account } = signer;
    kept.add({ chainId, settlement, region, account, secret: secret.toString(), commitment });
  }
  const { entry } = await client.submit(region, signer, { type: "commit_certificate", commitment });
  const epoch = Math.floor(market.windowFirstSlot / market.epochSlots);
  console.log(
    `committed (entry ${entry}); it counts for epoch ${epoch} and later ones\nthe secret is in ${options.keep}: whoever has it can make certificates of this account and recognise them`,
  );
}

async function make(options: MakeOptions): Promise<void> {
  const { client, region } = await placeOf(options);
  const { chainId, settlement } = await client.deployment();
  const { secrets } = openSecrets(options.keep, { chainId, settlement, region }, options.account);
  if (secrets.length === 0)
    throw new Error(
      `${options.keep} keeps no secret for ${options.account ?? region}; polder certificate commit draws one`,
    );
  const records = await readEpoch(client, region, options.epoch);
  const own = findLeaf(records, secrets);
  const wish = {
    side: options.bought === true ? "bought" : "sold",
    atLeastWh: options.atLeast,
    audience: options.for,
  } as const;
  try {
    const keys = {
      artifacts: await readProvingArtifacts("certificate"),
      verifier: await verifierFor(chainId),
    };
    const certificate = await makeCertificate(records, own, wish, keys);
    const text = `${JSON.stringify(certificate, null, 2)}\n`;
    const say = options.out === undefined ? console.error : console.log;
    if (options.out === undefined) process.stdout.write(text);
    else writeFileSync(options.out, text);
    say(`it says: ${inWords(certificate, records)}`);
    say(crowdInWords(records, certificate));
  } finally {
    await endSnarkThreads();
  }
}

async function check(files: readonly string[], options: CheckOptions): Promise<void> {
  const shown = new Map<Hex, string>();
  const reports: object[] = [];
  for (const file of files) {
    try {
      const certificate = parseCertificate(readFileSync(file, "utf8"));
      const { client, region } = await placeOf({ ...options, region: options.region ?? certificate.region });
      const records = await readEpoch(client, region, certificate.epoch);
      const verifier = await verifierFor(records.deployment.chainId);
      const refusal = refuseCertificate(certificate, records, verifier, {
        ...(options.for === undefined ? {} : { audience: options.for }),
        ...(options.root === undefined ? {} : { root: options.root }),
      });
      if (refusal !== null) throw new Error(refusal);
      const { nullifier } = certificate;
      const before = shown.get(nullifier);
      if (before !== undefined) throw new Error(`it shows the same account as ${before}`);
      shown.set(nullifier, file);
      if (options.json !== true) console.log(establishedInWords(file, certificate, records, options));
      else reports.push(reportOf(file, certificate, records));
    } catch (error) {
      throw new Error(`${file}: nothing is established: ${error instanceof Error ? error.message : error}`);
    }
  }
  if (options.json === true) console.log(JSON.stringify(reports));
}

/** The verifier of committed keys. @throws Error for development keys on any chain but the local one */
async function verifierFor(chainId: number): Promise<Groth16Verifier> {
  const { origin } = CIRCUITS.certificate;
  const publicElements = publicElementsOf(CIRCUITS.certificate);
  return new Groth16Verifier(
    readGroth16Key(await readVerificationKey("certificate"), { origin, chainId, publicElements }),
  );
}

function inWords(
  { side, atLeastWh, epoch, region, for: asker }: Certificate,
  { startS, endS, timeZone }: EpochRecords,
): string {
  const span = `${instant(startS, timeZone)} to ${instant(endS, timeZone)}`;
  return `an account of ${region} ${side} at least ${energyText(atLeastWh)} of local solar in epoch ${epoch} (${span}, ${timeZone}), shown to ${JSON.stringify(asker)}`;
}

function crowdInWords(records: EpochRecords, { side, atLeastWh }: Certificate): string {
  const crowd = candidatesOf(records, side, atLeastWh);
  if (crowd === 1)
    return "only one account of the epoch reaches that: whoever reads the journal can tell which it is";
  return `${crowd} accounts of the epoch reach that; it is one of them`;
}

function establishedInWords(
  file: string,
  certificate: Certificate,
  records: EpochRecords,
  options: CheckOptions,
): string {
  return [
    `${file}: established: ${inWords(certificate, records)}`,
    crowdInWords(records, certificate),
    `nullifier ${certificate.nullifier}: shown to you again for this epoch, it is the same account`,
    ...(options.for === undefined
      ? ["with --for you would refuse what was made for a name that only looks like yours"]
      : []),
  ].join("\n");
}

function reportOf(file: string, certificate: Certificate, records: EpochRecords): object {
  const { proof: _proof, format: _format, ...said } = certificate;
  const { startS, endS } = records;
  const candidates = candidatesOf(records, certificate.side, certificate.atLeastWh);
  return { file, established: true, ...said, startS, endS, candidates };
}
