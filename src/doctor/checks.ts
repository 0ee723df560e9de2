import type { Check } from "./check.ts";
import { daemon, database, health, sameVersion } from "./daemon/daemon.ts";
import { clock } from "./host/clock.ts";
import { disk } from "./host/disk.ts";
import { configWarnings, files } from "./host/files.ts";
import { firewalls } from "./host/firewalls.ts";
import { forwarding, forwarding6 } from "./host/forwarding.ts";
import { interfaceAddress, interfaceKey, interfacePort, interfaceUp } from "./host/interface.ts";
import { isolation } from "./host/isolation.ts";
import { nat } from "./host/nat.ts";
import { subnet } from "./host/subnet.ts";
import { listing, listingShape } from "./listing/listing.ts";
import { cashuMethod, endpointUrl, p2pk } from "./listing/methods.ts";
import { lightning, liquidity } from "./money/lightning.ts";
import { mints } from "./money/mints.ts";
import { wallet } from "./money/wallet.ts";
import { cors } from "./name/cors.ts";
import { dns } from "./name/dns.ts";
import { hairpin, outside } from "./name/hairpin.ts";
import { headerSize } from "./name/header-size.ts";
import { info, infoEqualsListing } from "./name/info.ts";
import { plainHttp } from "./name/plain-http.ts";
import { tls } from "./name/tls.ts";
import { relayRead, relayWrite } from "./relays/relays.ts";
import { writePolicy } from "./relays/write-policy.ts";

/** Everything that `doctor` looks at, in the order in which it tells. docs/doctor.md lists the same names. */
export const checks: readonly Check[] = [
  configWarnings,
  files,
  disk,
  clock,
  daemon,
  sameVersion,
  database,
  health,
  dns,
  tls,
  info,
  infoEqualsListing,
  cors,
  headerSize,
  hairpin,
  plainHttp,
  outside,
  listing,
  listingShape,
  cashuMethod,
  endpointUrl,
  p2pk,
  relayRead,
  relayWrite,
  writePolicy,
  mints,
  wallet,
  lightning,
  liquidity,
  interfaceUp,
  interfaceKey,
  interfaceAddress,
  interfacePort,
  forwarding,
  forwarding6,
  nat,
  firewalls,
  subnet,
  isolation,
];
