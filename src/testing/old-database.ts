import Database from "better-sqlite3";

/** A row of the table that operators already have (docs/spec.md, "An older database"); what is left out is as usual. */
export interface OldRow {
  session_id: string;
  client_identity: unknown;
  assigned_ip: unknown;
  status: "pending" | "active" | "expired" | "revoked";
  protocol?: string;
  purchased_at?: unknown;
  expires_at?: unknown;
  data_quota_bytes?: unknown;
  data_used_bytes?: unknown;
  last_rx_counter?: number | null;
  last_tx_counter?: number | null;
  payment_hash?: string | null;
}

/** Writes a database as the known daemon leaves it, with its own `user_version` and names of indexes. */
export function buildOldDatabase(path: string, rows: readonly OldRow[]): void {
  const db = new Database(path);
  db.exec(`
    CREATE TABLE sessions (
      session_id TEXT PRIMARY KEY, protocol TEXT, client_identity TEXT, assigned_ip TEXT, purchased_at INTEGER,
      expires_at INTEGER NULL, data_quota_bytes INTEGER NULL, data_used_bytes INTEGER DEFAULT 0,
      price_amount REAL, price_currency TEXT, price_unit TEXT, payment_method TEXT, status TEXT,
      last_rx_counter INTEGER, last_tx_counter INTEGER, payment_hash TEXT NULL, listing_d_tag TEXT
    );
    CREATE UNIQUE INDEX uq_assigned_ip_live ON sessions (assigned_ip) WHERE status IN ('pending', 'active');
    CREATE UNIQUE INDEX uq_payment_hash ON sessions (payment_hash) WHERE payment_hash IS NOT NULL;
    PRAGMA user_version = 7;
  `);
  const insert = db.prepare(
    `INSERT INTO sessions VALUES (@session_id, @protocol, @client_identity, @assigned_ip, @purchased_at, @expires_at,
       @data_quota_bytes, @data_used_bytes, 100, 'sat', 'day', 'cashu', @status, @last_rx_counter, @last_tx_counter,
       @payment_hash, 'my-vpn')`,
  );
  for (const row of rows) {
    insert.run({
      protocol: "wireguard",
      purchased_at: 1_700_000_000,
      expires_at: null,
      data_quota_bytes: null,
      data_used_bytes: 0,
      last_rx_counter: null,
      last_tx_counter: null,
      payment_hash: null,
      ...row,
    });
  }
  db.close();
}
