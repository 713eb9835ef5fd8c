// A store: journal and catalog in one, whatever database is behind it.
#pragma once

#include "collab/ports.h"

namespace weft::storage {

class Store : public collab::Journal, public collab::Catalog {};

}  // namespace weft::storage
