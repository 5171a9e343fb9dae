import type { ReactElement } from 'react';
import { formatCount, formatLetters, formatShare } from '../format';
import type { SimulationMetadata } from '../model';
import { useTrans } from '../trans';

/** The three figures people ask for first. */
export function RunFigures({ run }: { run: SimulationMetadata }): ReactElement {
  const trans = useTrans();
  const { mean_final_vision, total_injections, discontinuation_rate } = run.headline;
  const figures = [
    {
      value: formatLetters(mean_final_vision),
      label: trans.__('letters, mean final vision'),
      title: trans.__('ETDRS letters at the last visit, over the patients who had a visit')
    },
    {
      value: formatCount(total_injections),
      label: trans.__('injections'),
      title: trans.__('Over all patients and the whole run')
    },
    {
      value: formatShare(discontinuation_rate),
      label: trans.__('discontinued'),
      title:
        discontinuation_rate === null
          ? trans.__('The results do not say who discontinued')
          : trans.__('Share of the patients who stopped treatment')
    }
  ];
  return (
    <dl className="jp-ape-Figures">
      {figures.map(({ value, label, title }) => (
        <div key={label} className="jp-ape-Figure" title={title}>
          <dt>{label}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
