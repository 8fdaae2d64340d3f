#include "media/image/svg.hpp"

#include <gtest/gtest.h>

#include <string>

namespace troupe::media {
namespace {

std::string drawing(const std::string& entities, const std::string& text = "") {
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE svg ["
         + entities + "]>\n<svg xmlns=\"http://www.w3.org/2000/svg\">" + text
         + "</svg>";
}

TEST(Drawings, MayHaveEntitiesThatAreShortWords) {
  EXPECT_EQ(svg_fault("<svg/>"), "");
  EXPECT_EQ(svg_fault("<svg>&amp;</svg>"), "");
  EXPECT_EQ(svg_fault(drawing("<!ENTITY ns \"http://ns.adobe.com/SVG/\">"
                              "<!ENTITY a 'b'>",
                              "&ns;&a;")),
            "");
}

TEST(Drawings, MayHaveNoEntityMadeOfOthers) {
  for (const std::string bomb :
       {"<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;\">", "<!ENTITY a '&#38;b;'>",
        "<!ENTITY % a \"b\">", "<!ENTITY a SYSTEM \"file:///etc/passwd\">",
        "<!ENTITY a PUBLIC \"x\" \"http://x/\">", "<!ENTITY a \"<g/>\">",
        "<!ENTITY a", "<!ENTITY a \"open"})
    EXPECT_NE(svg_fault(drawing(bomb)), "") << bomb;
  EXPECT_NE(svg_fault(drawing("<!ENTITY a \"" + std::string(257, 'x') + "\">")),
            "");
}

TEST(Drawings, MayReferToEntitiesSoOften) {
  std::string many;
  for (int i = 0; i < 10'001; ++i)
    many += "&a;";

  EXPECT_NE(svg_fault(drawing("<!ENTITY a \"b\">", many)), "");
  EXPECT_EQ(svg_fault(drawing("", many)), "");
}

TEST(Drawings, HideNothingByTheirEncoding) {
  const auto said = [](const std::string& name) {
    return svg_fault("<?xml version='1.0' encoding='" + name + "'?><svg/>");
  };

  EXPECT_EQ(said("utf-8"), "");
  EXPECT_EQ(said("ISO-8859-1"), "");
  EXPECT_NE(said("UTF-7"), "");
  EXPECT_NE(said("UTF-16"), "");
  EXPECT_NE(svg_fault("<?xml version='1.0' encoding=?><svg/>"), "");
  EXPECT_NE(svg_fault(std::string{"<\0s\0v\0g\0", 8}), "");
}

} // namespace
} // namespace troupe::media
