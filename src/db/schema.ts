/**
 * The book's tables. `sessions` is the table operators already have and keeps its columns;
 * everything new stands beside it. A migration, once released, is never edited: add the next one.
 */
export const migrations: readonly string[] = [
  `
  CREATE TABLE IF NOT EXISTS sessions (
    session_id TEXT PRIMARY KEY,
    protocol TEXT NOT NULL,
    client_identity TEXT NOT NULL,
    assigned_ip TEXT NOT NULL,
    purchased_at INTEGER NOT NULL,
    expires_at INTEGER,
    data_quota_bytes INTEGER,
    data_used_bytes INTEGER NOT NULL DEFAULT 0,
    price_amount REAL NOT NULL,
    price_currency TEXT NOT NULL,
    price_unit TEXT NOT NULL,
    payment_method TEXT NOT NULL,
    status TEXT NOT NULL,
    last_rx_counter INTEGER,
    last_tx_counter INTEGER,
    payment_hash TEXT,
    listing_d_tag TEXT NOT NULL
  );
  CREATE UNIQUE INDEX IF NOT EXISTS sessions_live_ip ON sessions (assigned_ip)
    WHERE status IN ('pending', 'active');
  CREATE INDEX IF NOT EXISTS sessions_by_key ON sessions (client_identity, status);
  CREATE INDEX IF NOT EXISTS sessions_by_end ON sessions (status, expires_at);

  -- A session's two rights: time until time_until, then data until data_until (NULL: no such end).
  CREATE TABLE session_terms (
    session_id TEXT PRIMARY KEY REFERENCES sessions ON DELETE CASCADE,
    time_until INTEGER,
    data_until INTEGER,
    ended_at INTEGER,
    end_cause TEXT
  ) STRICT;

  -- Peers that must go from the interface (or leave an address) and have not been read back as gone.
  CREATE TABLE departing_peers (
    public_key TEXT NOT NULL,
    assigned_ip TEXT NOT NULL,
    since INTEGER NOT NULL,
    PRIMARY KEY (public_key, assigned_ip)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX departing_peers_by_ip ON departing_peers (assigned_ip);

  -- Every address of the pool: the one longest unused is handed out first, none before held_until.
  CREATE TABLE pool_addresses (
    assigned_ip TEXT PRIMARY KEY,
    last_used_at INTEGER NOT NULL DEFAULT 0,
    held_until INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE INDEX pool_addresses_by_use ON pool_addresses (last_used_at);

  CREATE TABLE sales (
    sale_id TEXT PRIMARY KEY,
    state TEXT NOT NULL CHECK (state IN ('swapping', 'released', 'invoicing', 'invoiced', 'lapsed', 'paid', 'owed',
      'granted')),
    method TEXT NOT NULL CHECK (method IN ('cashu', 'lightning')),
    mint_key TEXT CHECK (method <> 'cashu' OR mint_key IS NOT NULL),
    mint_url TEXT CHECK (method <> 'cashu' OR mint_url IS NOT NULL),
    face_sat INTEGER NOT NULL,
    fee_sat INTEGER NOT NULL,
    received_sat INTEGER NOT NULL DEFAULT 0,
    price_amount REAL NOT NULL,
    price_currency TEXT NOT NULL,
    price_unit TEXT NOT NULL,
    bought_seconds INTEGER NOT NULL,
    bought_bytes INTEGER NOT NULL,
    listing_d_tag TEXT NOT NULL,
    buyer_hash TEXT NOT NULL,
    key_hash TEXT NOT NULL,
    client_key TEXT,
    session_id TEXT,
    created_at INTEGER NOT NULL,
    address_released_at INTEGER,
    paid_at INTEGER,
    granted_at INTEGER,
    released_at INTEGER,
    release_reason TEXT,
    flaw TEXT,
    CHECK (bought_seconds >= 0 AND bought_bytes >= 0 AND bought_seconds + bought_bytes > 0)
  ) STRICT;
  -- SQLite uses these only for a query that says the same of the state, in the same words.
  CREATE INDEX sales_open ON sales (state) WHERE state IN ('swapping', 'paid', 'owed');
  CREATE INDEX sales_in_line ON sales (paid_at, created_at) WHERE state = 'owed' AND session_id IS NULL;
  CREATE INDEX sales_payable ON sales (created_at) WHERE state IN ('invoicing', 'invoiced');
  CREATE INDEX sales_lapsed ON sales (released_at) WHERE state = 'lapsed';
  CREATE INDEX sales_by_session ON sales (session_id) WHERE session_id IS NOT NULL;

  -- The claim: one row per input proof of a sale that is not released.
  CREATE TABLE sale_inputs (
    mint_key TEXT NOT NULL,
    y TEXT NOT NULL,
    sale_id TEXT NOT NULL REFERENCES sales,
    PRIMARY KEY (mint_key, y)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX sale_inputs_by_sale ON sale_inputs (sale_id);

  CREATE TABLE swap_attempts (
    sale_id TEXT NOT NULL REFERENCES sales,
    number INTEGER NOT NULL,
    journal TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (sale_id, number)
  ) STRICT, WITHOUT ROWID;

  -- One per Lightning sale, written before the node is asked; what an older daemon's lacks is NULL.
  CREATE TABLE invoices (
    sale_id TEXT PRIMARY KEY REFERENCES sales,
    payment_hash TEXT NOT NULL UNIQUE,
    preimage TEXT,
    bolt11 TEXT,
    requested_msat INTEGER,
    description_hash TEXT,
    expires_at INTEGER NOT NULL,
    received_msat INTEGER,
    fee_msat INTEGER
  ) STRICT, WITHOUT ROWID;

  -- Up to where a Lightning node's payments have been taken in: LND's settle index, phoenixd's ms of receipt.
  CREATE TABLE node_cursors (
    node TEXT PRIMARY KEY,
    position INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  -- Session moves to another WireGuard key by the same buyer, to bound them per hour.
  CREATE TABLE key_moves (
    sale_id TEXT NOT NULL REFERENCES sales,
    moved_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX key_moves_by_sale ON key_moves (sale_id, moved_at);

  -- withdrawn_at: its proofs are spent, deleted or in another event; it is sent nowhere any more.
  CREATE TABLE wallet_events (
    event_id TEXT PRIMARY KEY,
    kind INTEGER NOT NULL,
    json TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    acknowledged_at INTEGER,
    withdrawn_at INTEGER
  ) STRICT;
  CREATE INDEX wallet_events_waiting ON wallet_events (created_at) WHERE acknowledged_at IS NULL;

  CREATE TABLE wallet_event_relays (
    event_id TEXT NOT NULL REFERENCES wallet_events,
    relay_url TEXT NOT NULL,
    acknowledged_at INTEGER,
    refused_for_good INTEGER NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0,
    next_attempt_at INTEGER NOT NULL DEFAULT 0,
    last_answer TEXT,
    PRIMARY KEY (event_id, relay_url)
  ) STRICT, WITHOUT ROWID;

  -- Every proof ever taken in. event_id NULL: not wrapped into a wallet event yet; former_event_id: wrapped before,
  -- and to be wrapped anew. spent_at: when the mint first said so.
  CREATE TABLE proofs (
    y TEXT PRIMARY KEY,
    mint_url TEXT NOT NULL,
    keyset_id TEXT NOT NULL,
    amount_sat INTEGER NOT NULL,
    secret TEXT NOT NULL UNIQUE,
    c TEXT NOT NULL,
    dleq TEXT,
    sale_id TEXT REFERENCES sales,
    taken_at INTEGER NOT NULL,
    event_id TEXT REFERENCES wallet_events,
    former_event_id TEXT,
    spent_at INTEGER
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX proofs_by_sale ON proofs (sale_id);
  CREATE INDEX proofs_by_event ON proofs (event_id);
  CREATE INDEX proofs_unwrapped ON proofs (mint_url) WHERE event_id IS NULL;

  -- Tiers that were on offer, honoured for a while after they left the listing.
  CREATE TABLE offered_prices (
    amount REAL NOT NULL,
    currency TEXT NOT NULL,
    unit TEXT NOT NULL,
    last_offered_at INTEGER NOT NULL,
    PRIMARY KEY (amount, currency, unit)
  ) STRICT, WITHOUT ROWID;

  -- Single facts: the pinned pubkey, first publication, last time seen, secrets for keyed hashes.
  CREATE TABLE facts (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;

  `,
  `
  -- What the operator did to a session by hand. No sale, so no part of the books.
  CREATE TABLE operator_acts (
    session_id TEXT NOT NULL,
    act TEXT NOT NULL CHECK (act IN ('revoked', 'extended')),
    done_at INTEGER NOT NULL,
    reason TEXT,
    seconds INTEGER NOT NULL DEFAULT 0,
    bytes INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE INDEX operator_acts_by_session ON operator_acts (session_id);

  -- A month's sales, and the wallet's balance, are summed up from the index alone.
  CREATE INDEX sales_by_payment ON sales (paid_at, method, mint_url, face_sat) WHERE paid_at IS NOT NULL;
  CREATE INDEX proofs_unspent ON proofs (mint_url, amount_sat) WHERE spent_at IS NULL;
  `,
  `
  -- From when its time counts, where that is not the grant: it was open in a backup, and may have been granted then.
  ALTER TABLE sales ADD COLUMN counts_from INTEGER;
  `,
  `
  -- Sales that were forgotten, added up by the month (UTC) of their payment. mint_url is empty over Lightning.
  CREATE TABLE folded_sales (
    month TEXT NOT NULL,
    method TEXT NOT NULL,
    mint_url TEXT NOT NULL,
    sales INTEGER NOT NULL,
    face_sat INTEGER NOT NULL,
    fee_sat INTEGER NOT NULL,
    received_sat INTEGER NOT NULL,
    loss_sat INTEGER NOT NULL,
    requested_msat INTEGER NOT NULL,
    received_msat INTEGER NOT NULL,
    node_fee_msat INTEGER NOT NULL,
    overpaid_msat INTEGER NOT NULL,
    short_msat INTEGER NOT NULL,
    PRIMARY KEY (month, method, mint_url)
  ) STRICT, WITHOUT ROWID;

  -- Proofs that were forgotten after the mint had called them SPENT; their sales are forgotten too.
  CREATE TABLE folded_proofs (
    mint_url TEXT PRIMARY KEY,
    spent_sat INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  -- What may be forgotten is found by these, the oldest first.
  CREATE INDEX session_terms_ended ON session_terms (ended_at) WHERE ended_at IS NOT NULL;
  CREATE INDEX proofs_forgettable ON proofs (spent_at) WHERE sale_id IS NULL AND spent_at IS NOT NULL;
  CREATE INDEX sales_released ON sales (released_at) WHERE state = 'released';
  CREATE INDEX wallet_events_withdrawn ON wallet_events (withdrawn_at) WHERE withdrawn_at IS NOT NULL;
  CREATE INDEX wallet_events_by_kind ON wallet_events (kind, created_at);
  CREATE INDEX key_moves_by_time ON key_moves (moved_at);

  -- What a relay still lacks is looked for every second.
  CREATE INDEX wallet_event_relays_waiting ON wallet_event_relays (relay_url)
    WHERE acknowledged_at IS NULL AND refused_for_good = 0;
  `,
  `
  -- A token that was refused, or never bought anything, given back to its buyer: a swap whose outputs go out.
  CREATE TABLE refunds (
    refund_id TEXT PRIMARY KEY,
    state TEXT NOT NULL CHECK (state IN ('swapping', 'refunded', 'released')),
    mint_key TEXT NOT NULL,
    mint_url TEXT NOT NULL,
    face_sat INTEGER NOT NULL,
    fee_sat INTEGER NOT NULL,
    given_sat INTEGER NOT NULL DEFAULT 0,
    locked_to TEXT,
    journal TEXT,
    token TEXT,
    created_at INTEGER NOT NULL,
    ended_at INTEGER,
    release_reason TEXT,
    flaw TEXT
  ) STRICT;
  CREATE INDEX refunds_open ON refunds (created_at) WHERE state = 'swapping';

  -- Its claim. A proof is claimed by one sale or by one refund, whatever the code above may do.
  CREATE TABLE refund_inputs (
    mint_key TEXT NOT NULL,
    y TEXT NOT NULL,
    refund_id TEXT NOT NULL REFERENCES refunds,
    PRIMARY KEY (mint_key, y)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX refund_inputs_by_refund ON refund_inputs (refund_id);
  CREATE TRIGGER sold_is_not_refunded BEFORE INSERT ON refund_inputs
    WHEN EXISTS (SELECT 1 FROM sale_inputs WHERE mint_key = NEW.mint_key AND y = NEW.y)
    BEGIN SELECT RAISE(ABORT, 'a sale claims this proof'); END;
  CREATE TRIGGER refunded_is_not_sold BEFORE INSERT ON sale_inputs
    WHEN EXISTS (SELECT 1 FROM refund_inputs WHERE mint_key = NEW.mint_key AND y = NEW.y)
    BEGIN SELECT RAISE(ABORT, 'a refund claims this proof'); END;
  `,
  `
  -- How fast what was bought is, in Mbit/s each way, NULL as ever where its tier names none: a JSON list of
  -- [end, rate] of the time, by unix seconds, and of the data, by bytes used.
  ALTER TABLE session_terms ADD COLUMN time_rates TEXT;
  ALTER TABLE session_terms ADD COLUMN data_rates TEXT;

  -- The rate it was sold with.
  ALTER TABLE sales ADD COLUMN rate_mbit REAL;

  -- Tiers that were on offer, each with the rate it had then; 0 for none of its own.
  CREATE TABLE offered_tiers (
    amount REAL NOT NULL,
    currency TEXT NOT NULL,
    unit TEXT NOT NULL,
    rate_mbit REAL NOT NULL,
    last_offered_at INTEGER NOT NULL,
    PRIMARY KEY (amount, currency, unit, rate_mbit)
  ) STRICT, WITHOUT ROWID;
  INSERT INTO offered_tiers SELECT amount, currency, unit, 0, last_offered_at FROM offered_prices;
  DROP TABLE offered_prices;
  `,
];
