//! Messages that Kafka deleted before the group had applied them: its retention is shorter than the
//! group was away or stuck. librdkafka goes on at the first message that is left and says nothing.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::Progress;
use crate::telemetry::messaging;

/// Offsets by topic and partition.
pub(super) type Offsets = HashMap<(String, i32), i64>;

/// The gaps in what one member of a group reads; each is told once.
#[derive(Debug)]
pub(super) struct Gaps {
    group: String,
    /// Up to which offset gaps were told, of the partitions that are this member's.
    told: Mutex<Offsets>,
}

impl Gaps {
    /// Those of a member of `group`, which has no partitions yet.
    pub(super) fn of(group: &str) -> Self {
        Self {
            group: group.to_owned(),
            told: Mutex::default(),
        }
    }

    /// From now on the member has these partitions and no others.
    pub(super) fn follow<'a>(&self, partitions: impl Iterator<Item = (&'a str, i32)>) {
        let partitions = partitions.map(|(topic, partition)| ((topic.to_owned(), partition), 0));
        *self.told() = partitions.collect();
    }

    /// Tells of the gaps that `progress` shows and that were not told before: in the log and in the
    /// metrics. What the member has `read` is not lost. Answers how many messages were.
    pub(super) fn look(&self, progress: &[Progress], read: &Offsets) -> u64 {
        progress.iter().map(|it| self.look_at(it, read)).sum()
    }

    fn look_at(&self, progress: &Progress, read: &Offsets) -> u64 {
        let (topic, partition) = (progress.topic.as_str(), progress.partition);
        let place = (topic.to_owned(), partition);
        let mut told = self.told();
        let Some(told) = told.get_mut(&place) else {
            return 0;
        };
        let applied = progress.committed.unwrap_or(progress.first);
        let read = read.get(&place).copied().unwrap_or_default();
        let first_lost = (*told).max(applied).max(read);
        let lost = u64::try_from(progress.first - first_lost).unwrap_or_default();
        if lost > 0 {
            *told = progress.first;
            messaging::lost(&self.group, topic, lost);
            tracing::error!(
                group = self.group,
                topic,
                partition,
                first_lost,
                lost,
                "messages were deleted before they were applied"
            );
        }
        lost
    }

    fn told(&self) -> MutexGuard<'_, Offsets> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub(super) fn told_up_to(&self, topic: &str, partition: i32) -> Option<i64> {
        self.told().get(&(topic.to_owned(), partition)).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A partition whose log begins at `first`.
    fn progress(partition: i32, committed: Option<i64>, first: i64) -> Progress {
        Progress {
            topic: "things".to_owned(),
            partition,
            committed,
            first,
            end: 100,
            note: None,
        }
    }

    fn gaps() -> Gaps {
        let gaps = Gaps::of("group");
        gaps.follow([("things", 0), ("things", 1)].into_iter());
        gaps
    }

    #[test]
    fn what_was_deleted_before_it_was_applied_is_told_once_and_more_of_it_again() {
        let gaps = gaps();
        assert_eq!(gaps.look(&[progress(0, Some(3), 10)], &Offsets::new()), 7);
        assert_eq!(gaps.look(&[progress(0, Some(3), 10)], &Offsets::new()), 0);
        assert_eq!(gaps.look(&[progress(0, Some(3), 12)], &Offsets::new()), 2);
        assert_eq!(gaps.look(&[progress(0, Some(12), 12)], &Offsets::new()), 0);
        assert_eq!(gaps.look(&[progress(0, Some(20), 25)], &Offsets::new()), 5);
        assert_eq!(
            gaps.look(
                &[progress(0, Some(25), 25), progress(1, Some(0), 4)],
                &Offsets::new()
            ),
            4
        );
    }

    #[test]
    fn what_was_applied_or_was_never_the_groups_is_not_lost_when_it_is_deleted() {
        let gaps = gaps();
        for committed in [Some(10), Some(11), None] {
            assert_eq!(
                gaps.look(&[progress(0, committed, 10)], &Offsets::new()),
                0,
                "{committed:?}"
            );
        }
    }

    #[test]
    fn what_was_read_is_not_lost_when_it_is_deleted() {
        let gaps = gaps();
        let read = Offsets::from([(("things".to_owned(), 0), 8)]);
        assert_eq!(gaps.look(&[progress(0, Some(3), 8)], &read), 0);
        assert_eq!(gaps.look(&[progress(0, Some(3), 10)], &read), 2);
        assert_eq!(gaps.look(&[progress(1, Some(3), 8)], &read), 5);
    }

    #[test]
    fn partitions_are_told_of_by_the_member_that_has_them() {
        let gaps = gaps();
        assert_eq!(gaps.look(&[progress(2, Some(3), 10)], &Offsets::new()), 0);
        gaps.follow([("things", 2)].into_iter());
        assert_eq!(gaps.look(&[progress(2, Some(3), 10)], &Offsets::new()), 7);
        assert_eq!(gaps.look(&[progress(0, Some(3), 10)], &Offsets::new()), 0);
    }
}
