//! Which files to merge: rarely and late, so that each entry is rewritten a few times at most.

/// So many files of one tier are merged into one of a higher tier.
const FILES_A_TIER: usize = 16;
/// Files of one tier differ in size by less than this factor, a power of two.
const TIER_BITS: u32 = 3;

/// Of files with these sizes, the ones to merge now.
pub(crate) fn due(sizes: &[u64]) -> Option<Vec<usize>> {
    let tier = |size: u64| (u64::BITS - size.leading_zeros()) / TIER_BITS;
    (0..=u64::BITS / TIER_BITS).find_map(|wanted| {
        let members: Vec<_> =
            (0..).zip(sizes).filter(|(_, size)| tier(**size) == wanted).map(|(at, _)| at).collect();
        (members.len() >= FILES_A_TIER).then_some(members)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_stay_few_and_are_rewritten_seldom() {
        let (mut sizes, mut rewritten, commits) = (Vec::new(), 0, 20_000);
        for _ in 0..commits {
            sizes.push(1000);
            while let Some(members) = due(&sizes) {
                let merged: u64 = members.iter().map(|at| sizes[*at]).sum();
                rewritten += merged;
                sizes = (0..)
                    .zip(&sizes)
                    .filter(|(at, _)| !members.contains(at))
                    .map(|(_, size)| *size)
                    .collect();
                sizes.push(merged);
            }
            assert!(sizes.len() < 6 * FILES_A_TIER, "{}", sizes.len());
        }
        assert_eq!(sizes.iter().sum::<u64>(), commits * 1000);
        assert!(rewritten < 6 * commits * 1000, "{rewritten}");
    }
}
