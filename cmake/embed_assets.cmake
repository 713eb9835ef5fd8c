# The page inside the program. weft_embed_page(TARGET) adds a table of every file of the built page
# (build/web) to the target, and looks at every build whether the page has changed: the table is
# written anew only then. Without a complete page the table is empty and the program says how to
# build it.
#
# Included, this file defines the function; run as a script (cmake -P) it writes the table.

if(NOT CMAKE_SCRIPT_MODE_FILE)
  set(WEFT_PAGE_DIR "${CMAKE_SOURCE_DIR}/build/web" CACHE PATH "The built page to embed")
  set(WEFT_EMBED_SCRIPT "${CMAKE_CURRENT_LIST_FILE}")

  function(weft_embed_page target)
    set(table "${CMAKE_BINARY_DIR}/generated/page_table.cc")
    if(NOT TARGET weft_page_table)
      add_custom_target(weft_page_table
        COMMAND ${CMAKE_COMMAND} -DPAGE=${WEFT_PAGE_DIR} -DTABLE=${table} -P ${WEFT_EMBED_SCRIPT}
        BYPRODUCTS ${table}
        COMMENT "Looking at the page")
    endif()
    add_dependencies(${target} weft_page_table)
    set_source_files_properties(${table} PROPERTIES GENERATED TRUE)
    target_sources(${target} PRIVATE ${table})
  endfunction()
  return()
endif()

set(rows "")
set(blobs "")
set(count 0)
set(paths "")
if(EXISTS "${PAGE}/index.html")
  file(GLOB_RECURSE paths RELATIVE "${PAGE}" "${PAGE}/*")
  list(FILTER paths EXCLUDE REGEX "\\.gz$")
  list(SORT paths)
  # A build of the page that stopped half-way leaves an index.html whose files are missing.
  file(READ "${PAGE}/index.html" index)
  string(REGEX MATCHALL "/assets/[A-Za-z0-9._-]+" references "${index}")
  foreach(reference IN LISTS references)
    if(NOT EXISTS "${PAGE}${reference}")
      message(WARNING "${PAGE} is incomplete (${reference} is missing): building without the page. "
                      "Build it again with ./dev build.")
      set(paths "")
      break()
    endif()
  endforeach()
endif()

# One .incbin each, between two labels. The hash makes the table change with the file.
function(add_blob symbol file)
  file(SHA256 "${file}" hash)
  set(blobs "${blobs}    \"${symbol}:\\n.incbin \\\"${file}\\\"\\n${symbol}_end:\\n\"  // ${hash}\n"
      PARENT_SCOPE)
  set(hash "${hash}" PARENT_SCOPE)
endfunction()

foreach(path IN LISTS paths)
  set(symbol "weft_page_${count}")
  add_blob(${symbol} "${PAGE}/${path}")
  string(SUBSTRING "${hash}" 0 16 etag)
  set(externs "${externs}extern const char ${symbol}[], ${symbol}_end[];\n")
  set(gzip "{}")
  if(EXISTS "${PAGE}/${path}.gz")
    add_blob(${symbol}_gz "${PAGE}/${path}.gz")
    set(externs "${externs}extern const char ${symbol}_gz[], ${symbol}_gz_end[];\n")
    set(gzip "between(${symbol}_gz, ${symbol}_gz_end)")
  endif()
  set(row "\"${path}\", \"\\\"${etag}\\\"\", between(${symbol}, ${symbol}_end), ${gzip}")
  set(rows "${rows}    {${row}},\n")
  math(EXPR count "${count} + 1")
endforeach()

set(content "// Written by cmake/embed_assets.cmake from the built page.\n")
string(APPEND content "#include \"app/page_table.h\"\n\n")
if(count GREATER 0)
  string(APPEND content "__asm__(\n    \".pushsection .rodata\\n.balign 16\\n\"\n${blobs}"
                        "    \".popsection\\n\");\n\nextern \"C\" {\n${externs}}\n\n")
endif()
string(APPEND content "namespace weft::app {\n")
if(count GREATER 0)
  string(APPEND content "namespace {\n\n"
    "std::string_view between(const char* begin, const char* end) {\n"
    "  return {begin, static_cast<std::size_t>(end - begin)};\n}\n\n}  // namespace\n\n"
    "std::span<const server::Asset> page_table() {\n"
    "  static const server::Asset table[] = {\n${rows}  };\n  return table;\n}\n")
else()
  string(APPEND content "\nstd::span<const server::Asset> page_table() { return {}; }\n")
endif()
string(APPEND content "\n}  // namespace weft::app\n")

set(before "")
if(EXISTS "${TABLE}")
  file(READ "${TABLE}" before)
endif()
if(NOT content STREQUAL before)
  file(WRITE "${TABLE}" "${content}")
endif()
