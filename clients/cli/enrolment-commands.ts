// Owns the commands by which a meter gets into a region's registry and out of it: a household prepares, an installer
// enrols, rotates and revokes. It refuses to write over a secret, and to show one.

import { randomBytes } from "node:crypto";
import { type Command, Option } from "commander";
import { drawSecret } from "../../circuits/household-secret.ts";
import type { EvidenceContext } from "../../evidence/evidence-kind.ts";
import { gatewayIdOf } from "../../evidence/gateway-window.ts";
import type { MeterLimits } from "../../evidence/meter-statement.ts";
import { bytes32, type Hex } from "../../protocol/fields.ts";
import { MAX_READING_WH, MAX_WINDOW_CAP_WH } from "../../protocol/limits.ts";
import {
  enrolmentOf,
  enrolmentRequestText,
  REPLACES_NOTHING,
  requestEnrolment,
  WIDEST_LIMITS,
} from "../household/enrolment-request.ts";
import type { PolderClient } from "../sdk/client.ts";
import { connectionTag, registrarKeyFromEnvironment } from "./connection-tag.ts";
import {
  gatewaySeedFromEnvironment,
  type Place,
  placeOf,
  walletFromEnvironment,
  withPlace,
} from "./context.ts";
import {
  readMeterFile,
  readRequestFile,
  replaceMeterFile,
  requireAbsent,
  requireSameRegion,
  writeMeterFile,
  writeNew,
} from "./document-files.ts";
import { slotTime } from "./figures.ts";
import { whole } from "./options.ts";

type LimitOptions = { readonly [K in keyof MeterLimits]?: number };

interface PrepareOptions extends Place, LimitOptions {
  readonly meterFile: string;
  readonly request: string;
  readonly gatewayOf?: string;
}

interface EnrolOptions extends Place, LimitOptions {
  readonly connectionNumber?: string;
  readonly connectionTag?: string;
  readonly replaces?: string;
}

/** Adds `meter prepare | limits | enroll | rotate | revoke`. */
export function enrolmentCommands(program: Command): void {
  const meter = program
    .command("meter")
    .description("meters: their files, their enrolment, what they are worth");
  householdCommands(meter);
  const keys =
    "\nkeys: POLDER_WALLET_KEY of an installer, POLDER_REGISTRAR_KEY for the tag of a connection's number";
  withTerms(
    meter
      .command("enroll")
      .alias("enrol")
      .description("put a household's meter into the registry, from the next window on (installer)")
      .argument("<request>", "what the household prepared"),
  )
    .addHelpText("after", keys)
    .action((file: string, options: EnrolOptions) => enrol(file, options, REPLACES_NOTHING));
  withTerms(
    meter
      .command("rotate")
      .description("put a new key or secret in the place of a meter's, from the next window on (installer)")
      .argument("<request>", "what the household prepared"),
  )
    .option("--replaces <gateway>", "id of the gateway that ends; the request's own without it: a new secret")
    .addHelpText("after", keys)
    .action((file: string, options: EnrolOptions) => enrol(file, options, options.replaces));
  withPlace(
    meter
      .command("revoke")
      .description("take a meter out of the registry (installer)")
      .argument("<gateway>", "id of its gateway"),
  )
    .option(
      "--emergency",
      "also for the windows whose evidence is awaited, and not only from the next one on",
    )
    .action(revoke);
}

function householdCommands(meter: Command): void {
  withLimits(
    withPlace(
      meter
        .command("prepare")
        .description("draw a meter's secret and have its gateway consent (household)")
        .option("--meter-file <file>", "where secret and limits are kept", "polder-meter.json")
        .option("--request <file>", "what the installer gets; no secret is in it", "polder-enrolment.json")
        .option("--gateway-of <meter-file>", "a new secret for the gateway of this meter, to rotate it"),
    ),
  )
    .addHelpText(
      "after",
      "\nkeys: POLDER_GATEWAY_SEED of the gateway; without it a gateway in software is made, for local chains",
    )
    .action(prepare);
  withLimits(
    meter
      .command("limits")
      .description("write into a meter's file with which limits it was enrolled (household)")
      .argument("<meter-file>"),
  ).action(changeLimits);
}

function withLimits(command: Command): Command {
  const slot = whole(0, MAX_READING_WH);
  const window = whole(0, MAX_WINDOW_CAP_WH);
  return command
    .option("--nameplate-wh <n>", "most Wh that a slot can export", slot)
    .option("--connection-wh <n>", "most Wh that a slot can import", slot)
    .option("--sale-cap-wh <n>", "most Wh of a window's exports", window)
    .option("--purchase-cap-wh <n>", "most Wh of a window's imports", window);
}

function withTerms(command: Command): Command {
  return withLimits(withPlace(command))
    .addOption(
      new Option("--connection-number <number>", "of the grid connection; only its keyed tag is sent"),
    )
    .addOption(
      new Option("--connection-tag <hex>", "the registrar's tag of it, 32 bytes").conflicts(
        "connectionNumber",
      ),
    );
}

/** The limits of a command line over others. */
function limitsOver(others: MeterLimits, options: LimitOptions): MeterLimits {
  const { nameplateWh, connectionWh, saleCapWh, purchaseCapWh } = options;
  return {
    nameplateWh: nameplateWh ?? others.nameplateWh,
    connectionWh: connectionWh ?? others.connectionWh,
    saleCapWh: saleCapWh ?? others.saleCapWh,
    purchaseCapWh: purchaseCapWh ?? others.purchaseCapWh,
  };
}

async function prepare(options: PrepareOptions): Promise<void> {
  const { meterFile, request: requestFile } = options;
  requireAbsent(meterFile);
  requireAbsent(requestFile);
  const before = options.gatewayOf === undefined ? undefined : readMeterFile(options.gatewayOf);
  const { client, region } = await placeOf(options);
  const context = await contextOf(client, region);
  if (before !== undefined)
    requireSameRegion(options.gatewayOf as string, { ...before, regionId: before.region }, context);
  const fromEnvironment = gatewaySeedFromEnvironment(before?.gateway);
  if (before !== undefined && before.gatewaySeed === undefined && fromEnvironment === undefined)
    throw new Error(`set POLDER_GATEWAY_SEED to the seed of the gateway of ${options.gatewayOf}`);
  const seed = before?.gatewaySeed ?? fromEnvironment ?? newSeed();
  const secret = drawSecret();
  const limits = limitsOver(before?.limits ?? WIDEST_LIMITS, options);
  const request = requestEnrolment(context, seed, secret, limits);
  const { chainId, settlement } = context;
  writeMeterFile(meterFile, {
    chainId,
    settlement,
    region,
    secret,
    gateway: request.gateway,
    limits,
    ...(seed === fromEnvironment ? {} : { gatewaySeed: seed }),
  });
  writeNew(requestFile, enrolmentRequestText(request));
  console.log(`gateway ${gatewayIdOf(request.gateway)}`);
  console.log(`${meterFile} holds the meter's secret: keep it where only you can read it, with a copy`);
  console.log(`${requestFile} is for the installer; it says nothing of your account`);
}

function newSeed(): Hex {
  return `0x${randomBytes(32).toString("hex")}`;
}

function changeLimits(file: string, options: LimitOptions): void {
  const meter = readMeterFile(file);
  const limits = limitsOver(meter.limits, options);
  replaceMeterFile(file, { ...meter, limits });
  console.log(`${file}: ${inWords(limits)}`);
}

async function enrol(file: string, options: EnrolOptions, replaces: string | undefined): Promise<void> {
  const request = readRequestFile(file);
  const connection = connectionOf(options);
  const installer = walletFromEnvironment();
  const { client, region } = await placeOf(options);
  requireSameRegion(file, request.context, await contextOf(client, region));
  const limits = limitsOver(request.limits, options);
  const ending = replaces === undefined ? gatewayIdOf(request.gateway) : bytes32.parse(replaces);
  const draft = enrolmentOf(request, { connection, limits, replaces: ending });
  const { profile } = await client.region(region);
  const { events } = await client.submit(region, installer, draft, request.consent);
  for (const event of events) {
    if (event.type !== "meter_enrolled") continue;
    console.log(`gateway ${event.gateway} measures from ${slotTime(event.fromSlot, profile.timeZone)} on`);
  }
  if (inWords(limits) !== inWords(request.limits))
    console.log(`its household must take over: polder meter limits <meter-file> ${optionsOf(limits)}`);
}

async function revoke(gateway: string, options: Place & { readonly emergency?: boolean }): Promise<void> {
  const { client, region } = await placeOf(options);
  const isEmergency = options.emergency === true;
  await client.submit(region, walletFromEnvironment(), {
    type: "revoke_meter",
    gateway: bytes32.parse(gateway),
    isEmergency,
  });
  console.log(
    isEmergency
      ? "revoked at once; what it has not proved yet it never will"
      : "revoked from the next window on; the running one still counts",
  );
}

async function contextOf(client: PolderClient, region: string): Promise<EvidenceContext> {
  const { market } = await client.region(region);
  if (market === null) throw new Error(`${region} has not been opened yet`);
  const { chainId, settlement } = await client.deployment();
  return { chainId, settlement, regionId: region, windowSlots: market.windowSlots };
}

function connectionOf({ connectionNumber, connectionTag: tag }: EnrolOptions): Hex {
  if (tag !== undefined) return bytes32.parse(tag);
  if (connectionNumber === undefined)
    throw new Error("name the grid connection with --connection-number or --connection-tag");
  return connectionTag(registrarKeyFromEnvironment(), connectionNumber);
}

function inWords({ nameplateWh, connectionWh, saleCapWh, purchaseCapWh }: MeterLimits): string {
  return `a slot exports up to ${nameplateWh} and imports up to ${connectionWh} Wh, a window ${saleCapWh} and ${purchaseCapWh} Wh`;
}

function optionsOf({ nameplateWh, connectionWh, saleCapWh, purchaseCapWh }: MeterLimits): string {
  return `--nameplate-wh ${nameplateWh} --connection-wh ${connectionWh} --sale-cap-wh ${saleCapWh} --purchase-cap-wh ${purchaseCapWh}`;
}
