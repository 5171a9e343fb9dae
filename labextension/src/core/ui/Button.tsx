import type { ButtonHTMLAttributes, ReactElement } from 'react';
import { Icon, type IconName } from './icons';

interface ButtonProps extends Omit<ButtonHTMLAttributes<HTMLButtonElement>, 'children'> {
  label: string;
  icon?: IconName;
  variant?: 'plain' | 'primary' | 'danger';
}

export function Button({
  label,
  icon,
  variant = 'plain',
  className = '',
  ...rest
}: ButtonProps): ReactElement {
  return (
    <button type="button" {...rest} className={`jp-ape-Button jp-ape-mod-${variant} ${className}`}>
      {icon && <Icon name={icon} />}
      <span className="jp-ape-Button-label">{label}</span>
    </button>
  );
}

interface IconButtonProps extends Omit<ButtonHTMLAttributes<HTMLButtonElement>, 'children'> {
  label: string;
  icon: IconName;
}

export function IconButton({
  label,
  icon,
  className = '',
  ...rest
}: IconButtonProps): ReactElement {
  return (
    <button
      type="button"
      title={label}
      aria-label={label}
      {...rest}
      className={`jp-ape-IconButton ${className}`}
    >
      <Icon name={icon} />
    </button>
  );
}
