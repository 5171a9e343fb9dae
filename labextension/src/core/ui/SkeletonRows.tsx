import type { ReactElement } from 'react';
import { useTrans } from '../trans';

export function SkeletonRows({ count = 6 }: { count?: number }): ReactElement {
  const trans = useTrans();
  return (
    <div className="jp-ape-Skeleton" role="status" aria-label={trans.__('Loading runs…')}>
      {Array.from({ length: count }, (_, row) => (
        <div key={row} className="jp-ape-Skeleton-row" aria-hidden="true">
          <span className="jp-ape-Skeleton-line" />
          <span className="jp-ape-Skeleton-line" />
          <span className="jp-ape-Skeleton-line" />
        </div>
      ))}
    </div>
  );
}
