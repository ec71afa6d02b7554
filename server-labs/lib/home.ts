// Home folder. The default place for work and state. In a container a user may have no home that exists;
// the lab server starts all the same where WORKBOOK_HOME and WORKBOOK_STATE name other places.
import { realpathSync } from "node:fs";
import { homedir } from "node:os";

/** The folder that HOME or passwd(5) names. @throws Error with a sentence when neither names one */
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

/** The real path of the home folder; null when there is no such folder. */
export function realHome(): string | null {
  try {
    return realpathSync(homedir());
  } catch {
    return null;
  }
}
