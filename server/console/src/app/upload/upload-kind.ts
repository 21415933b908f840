// SPDX-License-Identifier: Apache-2.0
/** What the chooser of the upload dialog offers: pictures, or exported images (JSON files and archives). */
export type UploadKind = 'image' | 'json';
