// SPDX-License-Identifier: Apache-2.0
/** What is said about the space that the images of a tenant occupy. */
import { formatSize, plural } from './format';
import { ImagesUsage } from './model';

export type UsageLevel = 'normal' | 'high' | 'full';

/** From this percentage on the user is warned. */
const HIGH = 80;

/** The used part of the limit in whole percent, rounded down; null without a limit. It exceeds 100 after the limit was reduced. */
export function usedPercent({ usedBytes, maxResourcesInBytes }: ImagesUsage): number | null {
  return maxResourcesInBytes > 0 ? Math.floor((usedBytes / maxResourcesInBytes) * 100) : null;
}

export function usageLevel(usage: ImagesUsage): UsageLevel {
  const percent = usedPercent(usage) ?? 0;
  return percent >= 100 ? 'full' : percent >= HIGH ? 'high' : 'normal';
}

export function usageText({ usedBytes, maxResourcesInBytes }: ImagesUsage): string {
  return maxResourcesInBytes > 0 ? `${formatSize(usedBytes)} of ${formatSize(maxResourcesInBytes)}` : `${formatSize(usedBytes)} used`;
}

/** What else is stored, and does not count against the limit. */
export function usageParts({ images, bytes, usedBytes, keptVersions, keptBytes }: ImagesUsage): string {
  const uncounted = [
    bytes > usedBytes && `${formatSize(bytes - usedBytes)} in previews`,
    keptVersions > 0 && `${formatSize(keptBytes)} in ${plural(keptVersions, 'kept version')}`,
  ].filter(Boolean);
  return [`${plural(images, 'image')}.`, uncounted.length > 0 && `Not counted: ${uncounted.join(', ')}.`].filter(Boolean).join(' ');
}

/** For screen readers: without figures, which change with every upload. Empty if there is nothing to warn of. */
export function usageWarning(usage: ImagesUsage): string {
  const level = usageLevel(usage);
  return level === 'full' ? 'The space for images is full.' : level === 'high' ? `At least ${HIGH} % of the space for images is used.` : '';
}
