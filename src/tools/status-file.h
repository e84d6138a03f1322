/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* status.json in the service's runtime directory, whole or not at all; none where there is no such directory.
 */
void status_file_write(const char *text);
