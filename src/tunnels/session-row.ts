import { isWireguardKey } from "../protocol/wireguard-key.ts";
import { fromRateColumn } from "./rate-column.ts";
import { parseIpv4 } from "./subnet.ts";
import type { Terms } from "./terms.ts";

export type SessionStatus = "pending" | "active" | "expired" | "revoked";

export interface Session {
  sessionId: string;
  /** WireGuard public key; empty once forgotten. */
  publicKey: string;
  address: string;
  status: SessionStatus;
  purchasedAt: number;
  /** `effectiveEnd` of the terms. */
  expiresAt: number | null;
  endedAt: number | null;
  terms: Terms;
  lastReceivedBytes: number;
  lastSentBytes: number;
}

export interface SessionRow {
  session_id: string;
  client_identity: string;
  assigned_ip: string;
  status: SessionStatus;
  purchased_at: number;
  expires_at: number | null;
  ended_at: number | null;
  time_until: number | null;
  data_until: number | null;
  time_rates: string | null;
  data_rates: string | null;
  data_quota_bytes: number | null;
  data_used_bytes: number;
  last_rx_counter: number | null;
  last_tx_counter: number | null;
}

/** What a `SessionRow` needs of the book. */
export const sessionColumns = `s.session_id, s.client_identity, s.assigned_ip, s.status, s.purchased_at, s.expires_at, t.ended_at,
  t.time_until, t.data_until, t.time_rates, t.data_rates, s.data_quota_bytes, s.data_used_bytes, s.last_rx_counter,
  s.last_tx_counter`;
export const sessionTables = "FROM sessions s JOIN session_terms t USING (session_id)";

/** A column of the old table takes anything; what is no number counts as not there. */
function numeric(value: unknown): number | null {
  return typeof value === "number" ? value : null;
}

export function textual(value: unknown): string {
  return typeof value === "string" ? value : "";
}

export function toSession(row: SessionRow): Session {
  return {
    sessionId: row.session_id,
    publicKey: textual(row.client_identity),
    address: textual(row.assigned_ip),
    status: row.status,
    purchasedAt: numeric(row.purchased_at) ?? 0,
    expiresAt: numeric(row.expires_at),
    endedAt: row.ended_at,
    terms: {
      timeUntil: row.time_until,
      dataUntil: row.data_until,
      quotaBytes: numeric(row.data_quota_bytes),
      usedBytes: numeric(row.data_used_bytes) ?? 0,
      timeRates: fromRateColumn(row.time_rates),
      dataRates: fromRateColumn(row.data_rates),
    },
    lastReceivedBytes: numeric(row.last_rx_counter) ?? 0,
    lastSentBytes: numeric(row.last_tx_counter) ?? 0,
  };
}

/** Old rows are checked as strangers are: what cannot be a key or an address never gets near `wg`. */
export function isUsable({ publicKey, address }: Pick<Session, "publicKey" | "address">): boolean {
  return isWireguardKey(publicKey) && parseIpv4(address) !== undefined;
}
