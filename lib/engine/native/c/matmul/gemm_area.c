#include "gemm_area.h"
#include "system.h"

static const size_t HUGE_PAGE = 2 << 20;
static Area *current[AREA_KINDS];

static void free_area(Area *area) {
  aligned_release(area->data);
  free(area);
}

static Area *make_area(size_t bytes) {
  Area *area = calloc(1, sizeof *area);
  if (!area) return 0;
  area->bytes = (bytes + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
  area->data = aligned_allocate(HUGE_PAGE, area->bytes);
  if (!area->data) {
    free(area);
    return 0;
  }
  prefer_huge_pages(area->data, area->bytes);
  return area;
}

Area *area_acquire(enum AreaKind kind, size_t bytes) {
  Area *area = current[kind];
  if (!area || area->bytes < bytes) {
    const size_t grown = area ? area->bytes + area->bytes / 2 : 0;
    Area *larger = make_area(bytes > grown ? bytes : grown);
    if (!larger) return 0;
    if (area) {
      area->is_current = 0;
      if (area->users == 0) free_area(area);
    }
    larger->is_current = 1;
    current[kind] = area = larger;
  }
  area->users++;
  return area;
}

void area_release(Area *area) {
  if (!area) return;
  area->users--;
  if (area->users == 0 && !area->is_current) free_area(area);
}
