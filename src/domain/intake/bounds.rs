//! Bounds and times of the intake.

/// Bytes of a row of an intake's storage, which takes 2 MB: one payload of the largest kind with
/// what is around it.
pub const INTAKE_ROW_BYTES: usize = 512 * 1024;
/// Bytes of the rows that are stored together.
pub const GROUP_BYTES: usize = 1024 * 1024;
/// Bytes of requests that wait to be stored: a part of an object's 128 MB.
pub const GATHERED_BYTES_MAX: usize = 16 * 1024 * 1024;
/// From so long a wait to be stored on, requests are refused: more of them would only wait longer.
pub const SHED_AFTER_MS: i64 = 500;

/// A group that waits for company does so since the first of it came, for no longer than this: at
/// 40 requests a second and more it shares its row, which is billed.
pub const COMPANY_WITHIN_MS: i64 = 25;
/// It waits for no more than so many requests. So many events make a row cheap enough.
pub const COMPANY_MAX: usize = 4;
/// So many bytes need no company: what they cost is not their row.
pub const COMPANY_BYTES: usize = 64 * 1024;
/// Where waiting brought nobody it is tried again after so long, and later and later.
pub const COMPANY_TRY_MS: i64 = 5_000;
/// See [`COMPANY_TRY_MS`].
pub const COMPANY_TRY_MS_MAX: i64 = 80_000;

/// Events and bytes that may wait to be flushed: ten minutes at 300 events a second, and a part of
/// the 10 GB that an object stores.
pub const WAITING_EVENTS_MAX: usize = 200_000;
/// See [`WAITING_EVENTS_MAX`].
pub const WAITING_BYTES_MAX: usize = 1024 * 1024 * 1024;
/// A workspace has one part in so many of these at the most.
pub const SHARE_OF_WORKSPACE: usize = 4;

/// From so many bytes beside what waits on an intake takes no new idempotency keys: 24 hours of
/// them leave more than half of the 10 GB to what waits.
pub const KEYS_BYTES_MAX: i64 = 4 * 1024 * 1024 * 1024;

/// Bytes of texts that an intake holds in memory beside its storage, so that what is flushed at
/// once is not read again: eight of the largest flushes. The rest it reads when their turn comes.
pub const TEXTS_HELD_MAX: usize = 4 * 1024 * 1024;

/// Events and bytes of texts that are flushed together.
pub const FLUSH_EVENTS: usize = 200;
/// See [`FLUSH_EVENTS`].
pub const FLUSH_BYTES: usize = 512 * 1024;
/// Statements after which a flush leaves the rest to another invocation, which has 1,000.
pub const FLUSH_STATEMENTS: usize = 700;
/// Time from the beginning of one flush to that of the next: what comes meanwhile shares its batch.
pub const FLUSH_EVERY_MS: i64 = 40;
/// So much longer for each event of the last flush. Under load a tenth of the work is what batches
/// cost however much they bring, and messages that are full cost less.
pub const FLUSH_LONGER_MS: i64 = 5;
/// The longest time from one flush to the next.
pub const FLUSH_EVERY_MS_MAX: i64 = 150;
/// A flush begins so long after what it brings was stored, so that the answers go out first: both
/// want the same thread.
pub const ANSWER_FIRST_MS: i64 = 1;
/// Time to the next try after a flush that failed, and after many.
pub const FLUSH_AGAIN_MS: i64 = 250;
/// See [`FLUSH_AGAIN_MS`].
pub const FLUSH_AGAIN_MS_MAX: i64 = 8_000;
/// The alarm looks so long after an event was stored whether it was flushed.
pub const ALARM_AFTER_MS: i64 = 2_000;
/// Flushed rows that are kept until new ones take their places or the alarm deletes them. After a
/// restart they are flushed again, one by one.
pub const FLUSHED_KEPT: usize = 64;
/// The alarm leaves those whose flush is no longer ago: where more comes, their places are taken.
pub const FLUSHED_KEPT_MS: i64 = 1_000;

/// How long who changed something waits for the flush of his workspace.
pub const FLUSH_OF_CHANGE_MS: i64 = 700;
/// How long who reads what may wait here waits for its flush.
pub const FLUSH_OF_READ_MS: i64 = 3_000;
/// Workspaces that are flushed side by side for a list of them all.
pub const FLUSHED_AT_ONCE: usize = 16;
/// How long who changed something waits for the intake to know.
pub const TOLD_WITHIN_MS: i64 = 1_000;
/// How long an emit waits for the intake to store it; the result of a later answer is not known.
pub const STORED_WITHIN_MS: i64 = 5_000;
/// How long the cron and `/health` wait for an intake to say how it is.
pub const POKED_WITHIN_MS: i64 = 2_000;
/// Changes that an intake counts by workspace.
pub const CHANGES_TOLD_MAX: usize = 10_000;
/// An emit that knows of no change may count on its routing when none was made for so long.
pub const UNTOLD_MS: i64 = 60_000;

/// How long an isolate goes by what it read of a workspace's routing.
pub const ROUTING_CACHED_MS: i64 = 3_000;
/// Bytes of one routing that is kept, and of all.
pub const ROUTING_BYTES_MAX: usize = 256 * 1024;
/// See [`ROUTING_BYTES_MAX`].
pub const ROUTINGS_BYTES_MAX: usize = 4 * 1024 * 1024;
/// How often an emit is matched anew because its routing was changed meanwhile.
pub const REMATCHES_MAX: usize = 2;
