// SPDX-License-Identifier: Apache-2.0
// The commands that work on a store itself, without a server. Their own files parse their options.
#include "admin/commands.hpp"
#include "admin/copy.hpp"
#include "admin/reinstate.hpp"
#include "admin/reset_sysadmin.hpp"
#include "admin/restore.hpp"
#include "admin/rewrite_bodies.hpp"
#include "admin/verify.hpp"

#include <array>

namespace gallery::admin {

namespace {

constexpr std::array<option, 4> report_options{{
    {"--config", "FILE", "the server's configuration; default: the file that the server uses"},
    {"--json", "", "print the report as JSON"},
    {"--quiet", "", "print problems only"},
    {"--help", "", "print this text"},
}};

constexpr std::array<option, 4> reset_options{{
    {"--config", "FILE", "the server's configuration; default: the file that the server uses"},
    {"--user", "EMAIL", "the administrator, if there are several; default: GALLERY_SYSADMIN_EMAIL"},
    {"--json", "", "print the address and the password as JSON"},
    {"--help", "", "print this text"},
}};

constexpr std::array<option, 12> copy_options{{
    {"--from", "PLUGIN:PATH", "the store to copy, for instance rocksdb:/var/lib/gallery/rocksdb"},
    {"--to", "PLUGIN:PATH", "the copy; a new folder is created"},
    {"--from-option", "NAME=VALUE",
     "an option of the source's engine; NAME@FILE reads the value from a file"},
    {"--to-option", "NAME=VALUE", "an option of the target's engine; likewise"},
    {"--verify", "", "then read and hash all images of both stores and compare them"},
    {"--skip-damaged", "", "complete the copy without items that cannot be read"},
    {"--any-source", "", "continue a copy of another store; makes it equal to the source"},
    {"--at-once", "N", "images that are copied at the same time, 1 to 256; default: 16"},
    {"--config", "FILE", "the server's configuration; default: the file that the server uses"},
    {"--json", "", "print the result as JSON"},
    {"--quiet", "", "print problems only"},
    {"--help", "", "print this text"},
}};

constexpr std::array<option, 7> restore_options{{
    {"--engine", "NAME", "the engine of the backup; default: filesystem"},
    {"--verify", "", "then read and hash all images of both stores and compare them"},
    {"--skip-damaged", "", "complete the store without items of the backup that cannot be read"},
    {"--config", "FILE", "the server's configuration; default: the file that the server uses"},
    {"--json", "", "print the result as JSON"},
    {"--quiet", "", "print problems only"},
    {"--help", "", "print this text"},
}};

constexpr std::array<option, 4> reinstate_options{{
    {"--config", "FILE", "the server's configuration; default: the file that the server uses"},
    {"--yes", "", "required, because what the store lacks is lost"},
    {"--json", "", "print the result as JSON"},
    {"--help", "", "print this text"},
}};

constexpr std::array<command, 6> commands{{
    {"verify", "", "check the store itself: hashes and index entries",
     R"(Reads the whole store, hashes every image and preview again, and compares every index
entry with its image. Stop the server first, unless the storage engine allows several
servers to share the store. Run it on the server's machine, as the server's user and
with the server's environment.)",
     "runuser -u gallery -- env GALLERY_DATA=/var/lib/gallery gallery-admin verify", report_options, nullptr,
     &verify,
     R"(
exit codes:
   0  the store is sound
   1  there are problems
  64  wrong options
  69  the store cannot be opened
  70  a fault of the storage engine
  78  wrong configuration
)"},
    {"copy", "", "copy a closed store into another one, of any engine",
     R"(Makes the target a copy of the source: images with their ids, keys, times, tags and
bytes, kept versions, accounts and keys. Both stores may be of any engine. Stop the
servers of both first. The source is only read. The target must be new, empty, or an
earlier copy of the same source; then both are compared, and only differences are
transferred. A copy that was interrupted continues. A server does not start on an
incomplete copy. Other users can see the options of a command: give passwords of an
engine as NAME@FILE.)",
     "gallery-admin copy --from rocksdb:/var/lib/gallery/rocksdb --to filesystem:/srv/copy --verify",
     copy_options, nullptr, &copy,
     R"(
exit codes:
   0  the copy is complete
   1  items are damaged or differ, or the target is refused
  64  wrong options
  69  a store cannot be opened or failed
  78  wrong configuration, or no such folder
)"},
    {"restore", "DIR", "copy a backup into the empty store of a stopped server",
     R"(Copies the backup in DIR into the store of the configuration, which may be of any
engine. That store must be new, empty, or an interrupted restore of the same backup.
Stop the server first, and run the command as the server's user and with the server's
environment. The contents of the backup are not changed.)",
     "runuser -u gallery -- env GALLERY_DATA=/var/lib/gallery \\\n"
     "  gallery-admin restore /backup/gallery/current",
     restore_options, nullptr, &restore,
     R"(
exit codes:
   0  everything is restored
   1  items are damaged or differ, or the store is not empty
  64  wrong options
  69  a store cannot be opened or failed
  78  wrong configuration, or no such folder
)"},
    {"reinstate", "", "serve from the store of the configuration again, after a switch",
     R"(After gallery-admin mirror switch, a server serves from another store than the one
that STORAGE_PLUGIN and STORAGE_PATH name. While both stores are sound, switch back
while the server is running. If the other store is lost, this command lets the next
start of the server use the store of the configuration as it is. What was written since
and has not reached it is lost. Stop the server first, and run the command as the
server's user and with the server's environment.)",
     "runuser -u gallery -- env GALLERY_DATA=/var/lib/gallery gallery-admin reinstate --yes",
     reinstate_options, nullptr, &reinstate,
     R"(
exit codes:
   0  done
   1  the server serves from the store of the configuration already, a server uses the
      other store, or the store of the configuration was never the one of the server
  64  wrong options, or no --yes
  69  the store cannot be opened
  70  a fault of the storage engine
  78  wrong configuration, or no such folder
)"},
    {"rewrite-bodies", "", "store the bytes of all images as new ones are stored",
     R"(An image is stored in the way that the options of the storage engine had when it was
uploaded. This command stores all images, previews and kept versions in the way of the
present options: with the engine rocksdb, in files of their own if they are large
enough (STORAGE_ROCKSDB_BODY_FILE_BYTES), otherwise in the database. It requires free
space for the images that it moves. Nothing else changes. Images that cannot be read
stay as they are and are listed. The command can be interrupted and repeated. Stop the
server first, and run the command as the server's user and with the server's
environment.)",
     "runuser -u gallery -- env GALLERY_DATA=/var/lib/gallery gallery-admin rewrite-bodies", report_options,
     nullptr, &rewrite_bodies,
     R"(
exit codes:
   0  all images are stored as new ones are
   1  there are images that cannot be read
  64  wrong options
  69  the store cannot be opened, or failed
  70  a fault of the storage engine
  78  wrong configuration
)"},
    {"reset-sysadmin", "", "set a new password for the administrator in the store itself",
     R"(Generates a new password for the system administrator and prints it once. Ends all
sessions of the account and enables it. API keys are kept. Stop the server first,
unless the storage engine allows several servers to share the store. Run it on the
server's machine, as the server's user and with the server's environment.)",
     "runuser -u gallery -- env GALLERY_DATA=/var/lib/gallery gallery-admin reset-sysadmin", reset_options,
     nullptr, &reset_sysadmin,
     R"(
exit codes:
   0  done
   3  no such administrator
  64  wrong options
  69  the store cannot be opened
  70  a fault of the storage engine
  74  done but the password could not be printed; run it again
  78  wrong configuration
)"},
}};

}  // namespace

std::span<const command> alone_commands() {
    return commands;
}

}  // namespace gallery::admin
