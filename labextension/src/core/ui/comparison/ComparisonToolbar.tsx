import { useId, type ReactElement } from 'react';
import type { ComparisonType, SimulationMetadata, TimeAlignment } from '../../model';
import { useTrans } from '../../trans';
import type { ComparisonSettings } from './ComparisonView';

interface ComparisonToolbarProps {
  settings: ComparisonSettings;
  runs: readonly SimulationMetadata[];
  pending: boolean;
  onChange: (change: Partial<ComparisonSettings>) => void;
}

export function ComparisonToolbar(props: ComparisonToolbarProps): ReactElement {
  const { settings, runs, pending, onChange } = props;
  const trans = useTrans();
  const names = new Map(runs.map(run => [run.sim_id, run.name]));
  const first = settings.simIds[0] ?? '';
  return (
    <div
      className="jp-ape-Comparison-toolbar"
      role="group"
      aria-label={trans.__('What to compare')}
    >
      <Choice<ComparisonType>
        label={trans.__('Show')}
        value={settings.comparisonType}
        options={[
          ['overlay', trans.__('Overlay')],
          ['side_by_side', trans.__('Side by side')],
          ['difference', trans.__('Difference')],
          ['statistical', trans.__('Effect sizes')]
        ]}
        onChange={comparisonType => onChange({ comparisonType })}
      />
      <Choice<TimeAlignment>
        label={trans.__('Time')}
        value={settings.timeAlignment}
        options={[
          ['relative', trans.__('Since enrolment')],
          ['absolute', trans.__('Calendar')],
          ['normalized', trans.__('Share of the run')]
        ]}
        onChange={timeAlignment => onChange({ timeAlignment })}
      />
      {(settings.comparisonType === 'difference' || settings.comparisonType === 'statistical') && (
        <Choice<string>
          label={trans.__('Reference')}
          value={settings.reference ?? first}
          options={settings.simIds.map(simId => [simId, names.get(simId) ?? simId])}
          onChange={reference => onChange({ reference })}
        />
      )}
      <span className="jp-ape-Comparison-pending" role="status">
        {pending ? trans.__('Computing…') : ''}
      </span>
    </div>
  );
}

interface ChoiceProps<T extends string> {
  label: string;
  value: T;
  options: readonly (readonly [T, string])[];
  onChange: (value: T) => void;
}

function Choice<T extends string>(props: ChoiceProps<T>): ReactElement {
  const { label, value, options, onChange } = props;
  const id = useId();
  return (
    <span className="jp-ape-Choice">
      <label htmlFor={id}>{label}</label>
      <select id={id} value={value} onChange={event => onChange(event.target.value as T)}>
        {options.map(([option, text]) => (
          <option key={option} value={option}>
            {text}
          </option>
        ))}
      </select>
    </span>
  );
}
