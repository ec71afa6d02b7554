// The user's home folder: the default place for work and state. A container's user may have none, or one that is
// named and does not exist; that is no reason not to start where WORKBOOK_HOME and WORKBOOK_STATE say other places.
import { realpathSync } from "node:fs";
import { homedir } from "node:os";

/** As HOME or passwd(5) names it. @throws Error with a sentence when neither does */
export function homeFolder(): string {
  try {
    return homedir();
  } catch {
    throw new Error(
      "You have no home folder: HOME is not set, and this user is not in /etc/passwd. Set HOME; or set WORKBOOK_HOME " +
        "to a folder for your work, and WORKBOOK_STATE to one for the lab server's token.",
    );
  }
}

/** Its real path; null when there is no such folder. */
export function realHome(): string | null {
  try {
    return realpathSync(homedir());
  } catch {
    return null;
  }
}
