// Owns the promises about regions over HTTP: unknown ones make no objects, opened ones stay who they are.

import { listDurableObjectIds } from "cloudflare:test";
import { describe, expect, test, vi } from "vitest";
import { directoryOf } from "../../durable-objects/directory.ts";
import { profileNamed } from "../durable-objects/profile.ts";
import { env, useMarketTime } from "../durable-objects/region-under-test.ts";
import {
  addressOf,
  expectAccepted,
  GatewayUnderTest,
  operator,
  request,
  walletOf,
} from "./gateway-under-test.ts";

useMarketTime();

/** A gateway that has just been asked for an unknown region does not ask the directory again at once. */
function untilGatewaysLook(): void {
  vi.setSystemTime(Date.now() + 1_000);
}

describe("regions that are not there", () => {
  test("rejects: every path of an unknown region, with region_not_found, and makes no object of it", async () => {
    const known = new GatewayUnderTest();
    expectAccepted(await known.open(), 201);
    const objects = () =>
      Promise.all([
        listDurableObjectIds(env.REGION),
        listDurableObjectIds(env.FEED),
        listDurableObjectIds(env.PROVIDER),
        listDurableObjectIds(env.JOB_DESK),
      ]);
    const before = await objects();
    const { openapi, paths } = (await request("GET", "/openapi.json")).json;
    expect(openapi).toBe("3.1.0");
    const invented = new GatewayUnderTest("invented-by-somebody");
    const body = await invented.signed(
      invented.home,
      invented.command("place_order", invented.orderFields()),
    );
    let asked = 0;
    for (const [path, methods] of Object.entries(paths as Record<string, Record<string, unknown>>)) {
      if (!path.includes("{region}")) continue;
      const place = path
        .replace("{region}", invented.name)
        .replaceAll(/\{(order|slot|epoch|reference|obligation)\}/g, "1")
        .replace("{account}", invented.account)
        .replace("{key}", `0x${"11".repeat(32)}`);
      for (const method of Object.keys(methods)) {
        const isSocket = method === "get" && /\/(feed|commands|socket)$/.test(path);
        const headers = isSocket ? { upgrade: "websocket" } : undefined;
        const reply = await request(
          method.toUpperCase(),
          place,
          method === "get" ? undefined : body,
          headers,
        );
        // A path that takes another command refuses the body before it looks for the region; where nobody votes, no values are voted.
        const refusals = ["region_not_found", "malformed_request"];
        if (place.startsWith("/v1/governance/")) refusals.push("governance_missing");
        expect(refusals, `${method} ${place}`).toContain(reply.json.code);
        asked += 1;
      }
    }
    expect(asked).toBeGreaterThan(20);
    expect((await invented.post("/orders", body)).json).toMatchObject({
      code: "region_not_found",
      facts: { region: invented.name },
    });
    expect(await objects()).toEqual(before);
  });

  test("rejects: what is asked of a region that is registered and not open yet, with region_not_open", async () => {
    const early = new GatewayUnderTest();
    await directoryOf(env).register(encodeURIComponent(JSON.stringify(profileNamed(early.name))));
    untilGatewaysLook();
    await early.refuse("region_not_open", () => early.get("/market"));
    await early.refuse("region_not_open", async () =>
      early.post(
        "/orders",
        await early.signed(early.home, early.command("place_order", early.orderFields())),
      ),
    );
    expect((await early.get("")).json).toMatchObject({ profile: { region: early.name }, market: null });
    expect((await early.get(`/accounts/${early.account}/bill`)).json).toMatchObject({
      code: "account_not_found",
    });
  });
});

describe("opening a region", () => {
  test("rejects: anybody but the deployment's operator, with not_operator, registering nothing", async () => {
    const other = new GatewayUnderTest();
    const thief = walletOf(66);
    const profile = profileNamed(other.name);
    const mine = other.openCommand({ operator: addressOf(thief) });
    const attempts = [
      { ...(await other.signed(thief, mine)), profile: { ...profile, operator: addressOf(thief) } },
      { ...(await other.signed(thief, other.openCommand())), profile },
      {
        ...(await other.signed(operator, other.openCommand())),
        profile: { ...profile, operator: addressOf(thief) },
      },
    ];
    for (const body of attempts) {
      const reply = await request("POST", "/v1/regions", body);
      expect(reply.json).toMatchObject({ code: "not_operator", status: 403 });
    }
    expect((await other.get("/market")).json).toMatchObject({ code: "region_not_found" });
  });

  test("rejects: a profile of another region than the command's, with wrong_region", async () => {
    const other = new GatewayUnderTest();
    const body = {
      ...(await other.signed(operator, other.openCommand())),
      profile: profileNamed("some-other"),
    };
    expect((await request("POST", "/v1/regions", body)).json).toMatchObject({ code: "wrong_region" });
  });

  test("rejects: a second opening with another profile or other terms, with region_exists", async () => {
    const polder = new GatewayUnderTest();
    const command = polder.openCommand();
    const body = { ...(await polder.signed(operator, command)), profile: profileNamed(polder.name) };
    const first = expectAccepted(await request("POST", "/v1/regions", body), 201);
    expect(expectAccepted(await request("POST", "/v1/regions", body), 201)).toEqual(first);
    // The opening command is public in the journal; with it nobody may rename the region.
    await polder.refuse("region_exists", () =>
      request("POST", "/v1/regions", { ...body, profile: profileNamed(polder.name, { name: "Mine now" }) }),
    );
    await polder.refuse("region_exists", () => polder.open({ timeZone: "Asia/Tokyo" }));
    expect((await polder.get("")).json.profile.name).toBe("Waterland");
  });

  test("regression: a region that is registered and not open is not opened by whoever comes first", async () => {
    const early = new GatewayUnderTest();
    await directoryOf(env).register(encodeURIComponent(JSON.stringify(profileNamed(early.name))));
    untilGatewaysLook();
    const thief = walletOf(66);
    const body = await early.signed(thief, early.openCommand({ operator: addressOf(thief) }));
    await early.refuse("not_operator", () => early.post("/commands", body));
    expectAccepted(await early.open(), 201);
  });
});

describe("finding a region", () => {
  test("behavior: lists regions and says which is nearest", async () => {
    await directoryOf(env).register(
      encodeURIComponent(JSON.stringify(profileNamed("far-away", { latitude: -33.9, longitude: 151.3 }))),
    );
    await directoryOf(env).register(encodeURIComponent(JSON.stringify(profileNamed("close-by"))));
    const listed = (await request("GET", "/v1/regions")).json.regions.map(
      ({ region }: { region: string }) => region,
    );
    expect(listed).toEqual(expect.arrayContaining(["far-away", "close-by"]));
    const near = (await request("GET", "/v1/regions/nearest?near=-34,151")).json.regions;
    expect(near[0]).toMatchObject({ profile: { region: "far-away" } });
    expect(near[0].distanceKm).toBeLessThan(50);
    expect((await request("GET", "/v1/regions/nearest")).status).toBe(200);
  });
});
