import { describe, expect, it } from 'vitest';
import type { Comparison } from '../../src/core';
import { comparisonGrid } from '../../src/core/comparisonTable';
import { makeComparison } from '../comparisons';

describe('the table of a comparison', () => {
  it('has a row per time and a column per run', () => {
    const grid = comparisonGrid(makeComparison());
    expect(grid.simIds).toEqual(['a', 'b']);
    expect(grid.rows).toEqual([
      {
        x: 0,
        state: '',
        estimates: [
          { value: 60, low: 59, high: 61 },
          { value: 55, low: 54, high: 56 }
        ]
      },
      { x: 28, state: '', estimates: [{ value: 61, low: 60, high: 62 }, null] }
    ]);
  });

  it('has a row for each state of a time', () => {
    const overlay = makeComparison();
    const series = {
      ...overlay.series,
      sim_id: ['a', 'a', 'b'],
      x: [0, 0, 0],
      state: ['STABLE', 'ACTIVE', 'ACTIVE']
    };
    const { rows } = comparisonGrid({ ...overlay, series });
    expect(rows.map(({ x, state }) => [x, state])).toEqual([
      [0, 'STABLE'],
      [0, 'ACTIVE']
    ]);
    expect(rows[0]?.estimates[1]).toBeNull();
  });

  it('has the comparators of a difference, without the reference', () => {
    const overlay = makeComparison();
    const difference: Comparison = {
      ...overlay,
      request: { ...overlay.request, comparison_type: 'difference' },
      differences: {
        metric: ['vision'],
        reference: ['a'],
        comparator: ['b'],
        x: [0],
        difference: [-5],
        ci_low: [null],
        ci_high: [null],
        p_value: [0.5],
        n_reference: [40],
        n_comparator: [50],
        state: [''],
        by: [''],
        subgroup: ['']
      }
    };
    expect(comparisonGrid(difference)).toMatchObject({
      simIds: ['b'],
      rows: [{ x: 0, estimates: [{ value: -5, low: null, high: null }] }]
    });
  });
});
