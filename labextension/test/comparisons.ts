import type { Comparison } from '../src/core';
import { makeRun } from './fakes';

/** Two runs, of which the second ends earlier. */
export function makeComparison(): Comparison {
  const none = [null, null, null];
  return {
    request: {
      sim_ids: ['a', 'b'],
      comparison_type: 'overlay',
      metrics: ['vision'],
      time_alignment: 'relative',
      reference: 'a',
      confidence: 0.95,
      observations: 'observed',
      bin_width: 28,
      times: null,
      paired: false,
      pool_replicates: false,
      patients: []
    },
    runs: [makeRun({ sim_id: 'a', name: 'run-a' }), makeRun({ sim_id: 'b', name: 'run-b' })],
    metrics: [
      {
        id: 'vision',
        label: 'Visual acuity',
        unit: 'ETDRS letters',
        higher_is_better: true
      }
    ],
    series: {
      sim_id: ['a', 'a', 'b'],
      metric: ['vision', 'vision', 'vision'],
      x: [0, 28, 0],
      n: [100, 90, 80],
      mean: [60, 61, 55],
      sd: [5, 5, 5],
      ci_low: [59, 60, 54],
      ci_high: [61, 62, 56],
      p10: none,
      p25: none,
      p50: none,
      p75: none,
      p90: none,
      state: ['', '', '']
    },
    differences: {
      metric: [],
      reference: [],
      comparator: [],
      x: [],
      difference: [],
      ci_low: [],
      ci_high: [],
      p_value: [],
      n_reference: [],
      n_comparator: [],
      state: []
    },
    tests: {
      metric: [],
      reference: [],
      comparator: [],
      time: [],
      test: [],
      statistic: [],
      p_value: [],
      p_holm: [],
      p_bh: [],
      effect: [],
      effect_size: [],
      effect_low: [],
      effect_high: [],
      state: [],
      time_point: [],
      n_reference: [],
      n_comparator: [],
      difference: [],
      difference_low: [],
      difference_high: []
    },
    protocol_diff: { reference: [], comparator: [], path: [], old: [], new: [], unit: [] },
    missing: [],
    notes: [],
    provenance: {}
  };
}
