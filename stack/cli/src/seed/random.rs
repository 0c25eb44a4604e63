//! Random numbers that are the same on every machine and with every version of
//! every crate: a seeded world must not change under its readers.

use uuid::{Builder, Uuid};

/// One stream of numbers: SplitMix64 (Steele, Lea, Flood 2014). Each thing that
/// is seeded has a stream of its own, so that one more draw here does not move
/// everything that comes after.
#[derive(Clone, Debug)]
pub(super) struct Random(u64);

const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

impl Random {
    /// The stream of the thing that `path` names in the world of `seed`.
    pub(super) fn stream(seed: u64, path: &[u64]) -> Self {
        let key = path.iter().fold(mix(seed), |key, part| {
            mix(key ^ mix(part.wrapping_add(STEP)))
        });
        Self(key)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        mix(self.0)
    }

    /// Evenly from 0 up to 1, without 1.
    pub(super) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Evenly from `low` up to `high`, both included.
    pub(super) fn between(&mut self, low: i64, high: i64) -> i64 {
        low + (self.unit() * (high - low + 1) as f64) as i64
    }

    /// True in `share` of the draws.
    pub(super) fn chance(&mut self, share: f64) -> bool {
        self.unit() < share
    }

    /// Normally distributed (Box and Muller).
    pub(super) fn normal(&mut self, mean: f64, deviation: f64) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        mean + deviation * radius * (std::f64::consts::TAU * self.unit()).cos()
    }

    /// Log-normally distributed: many near the median, a few far above it.
    pub(super) fn log_normal(&mut self, median: f64, sigma: f64) -> f64 {
        median * self.normal(0.0, sigma).exp()
    }

    /// One of the items, each as likely as the next.
    pub(super) fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[(self.unit() * items.len() as f64) as usize]
    }

    /// The place of one of the weights, each as likely as it is heavy.
    pub(super) fn weighted(&mut self, weights: &[f64]) -> usize {
        let mut rest = self.unit() * weights.iter().sum::<f64>();
        for (place, weight) in weights.iter().enumerate() {
            rest -= weight;
            if rest < 0.0 {
                return place;
            }
        }
        weights.len() - 1
    }

    /// A version 7 identifier of the given time (RFC 9562).
    pub(super) fn uuid_at(&mut self, time: chrono::DateTime<chrono::Utc>) -> Uuid {
        let bytes = (u128::from(self.next()) << 64 | u128::from(self.next())).to_be_bytes();
        let mut random = [0; 10];
        random.copy_from_slice(&bytes[..10]);
        let milliseconds = u64::try_from(time.timestamp_millis()).unwrap_or(0);
        Builder::from_unix_timestamp_millis(milliseconds, &random).into_uuid()
    }
}

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_follows_the_published_generator() {
        // The first outputs of SplitMix64 for the state 0.
        let mut random = Random(0);
        assert_eq!(random.next(), 0xe220_a839_7b1d_cdaf);
        assert_eq!(random.next(), 0x6e78_9e6a_a1b9_65f4);
    }

    #[test]
    fn streams_differ_by_seed_and_by_every_part_of_the_path() {
        let first = |seed, path: &[u64]| Random::stream(seed, path).next();
        let streams = [
            first(1, &[1, 2]),
            first(2, &[1, 2]),
            first(1, &[2, 1]),
            first(1, &[1]),
            first(1, &[1, 2, 0]),
        ];
        for (place, stream) in streams.iter().enumerate() {
            assert!(!streams[..place].contains(stream));
        }
    }

    #[test]
    fn draws_stay_in_their_range_and_reach_its_ends() {
        let mut random = Random::stream(7, &[]);
        let draws: Vec<i64> = (0..1_000).map(|_| random.between(-2, 3)).collect();
        assert_eq!(
            (draws.iter().min(), draws.iter().max()),
            (Some(&-2), Some(&3))
        );
    }

    #[test]
    fn weights_decide_how_often_a_place_is_drawn() {
        let mut random = Random::stream(7, &[]);
        let mut drawn = [0_u32; 3];
        (0..10_000).for_each(|_| drawn[random.weighted(&[1.0, 0.0, 3.0])] += 1);
        assert_eq!(drawn[1], 0);
        assert!((2_300..2_700).contains(&drawn[0]), "{drawn:?}");
    }

    #[test]
    fn a_normal_draw_has_the_mean_and_deviation_asked_for() {
        let mut random = Random::stream(7, &[]);
        let draws: Vec<f64> = (0..20_000).map(|_| random.normal(10.0, 2.0)).collect();
        let mean = draws.iter().sum::<f64>() / draws.len() as f64;
        let variance =
            draws.iter().map(|draw| (draw - mean).powi(2)).sum::<f64>() / draws.len() as f64;
        assert!(
            (mean - 10.0).abs() < 0.1 && (variance.sqrt() - 2.0).abs() < 0.1,
            "{mean} {variance}"
        );
    }

    #[test]
    fn an_identifier_carries_its_time() {
        let time = chrono::DateTime::from_timestamp_millis(1_790_000_000_123).expect("a time");
        let id = Random::stream(7, &[]).uuid_at(time);
        assert_eq!(id.get_version_num(), 7);
        assert_eq!(id.as_u128() >> 80, 1_790_000_000_123);
    }
}
