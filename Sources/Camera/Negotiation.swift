import CLinux
import Glibc

/// Agreeing with a driver on a format (VIDIOC_S_FMT, VIDIOC_S_PARM). What counts is what it answers.
struct Negotiation {
  var format: CameraFormat
  var layout: PixelLayout
  var isFullRange: Bool
  var matrix: Int

  static func run(_ request: CameraRequest, on device: borrowing V4L2Device) throws(CameraError) -> Negotiation {
    let offers = device.offers(for: request.size)
    guard let choice = offers.choice(for: request) else {
      throw refusal(request, offers: offers, device: device)
    }
    var wanted = v4l2_format()
    wanted.type = device.bufferType
    if device.isMultiplanar {
      wanted.fmt.pix_mp.width = UInt32(clamping: request.size.width)
      wanted.fmt.pix_mp.height = UInt32(clamping: request.size.height)
      wanted.fmt.pix_mp.pixelformat = choice.rawValue
      wanted.fmt.pix_mp.field = V4L2_FIELD_NONE.rawValue
    } else {
      wanted.fmt.pix.width = UInt32(clamping: request.size.width)
      wanted.fmt.pix.height = UInt32(clamping: request.size.height)
      wanted.fmt.pix.pixelformat = choice.rawValue
      wanted.fmt.pix.field = V4L2_FIELD_NONE.rawValue
    }
    try device.require(VIDIOC_S_FMT, "VIDIOC_S_FMT", &wanted)

    let answer = GrantedPixels(wanted, isMultiplanar: device.isMultiplanar)
    guard answer.pixelFormat == choice, answer.size == request.size,
      let layout = PixelLayout(pixelFormat: choice, size: answer.size, strides: answer.strides)
    else {
      throw CameraError(
        .unsupported, device: device.name, operation: "\(choice) \(request.size)",
        hint: "It granted \(answer.pixelFormat) \(answer.size) instead. It offers: \(offers.summary).")
    }
    let rate = setRate(request.rate, on: device)
    return Negotiation(
      format: CameraFormat(pixelFormat: choice, size: answer.size, rate: rate), layout: layout,
      isFullRange: answer.isFullRange, matrix: answer.matrix)
  }

  /// Sets the rate and returns what is in force; the rate asked for where the driver does not say.
  private static func setRate(_ rate: FrameRate, on device: borrowing V4L2Device) -> FrameRate {
    var parameters = v4l2_streamparm()
    parameters.type = device.bufferType
    guard device.request(VIDIOC_G_PARM, &parameters) == 0,
      parameters.parm.capture.capability & UInt32(V4L2_CAP_TIMEPERFRAME) != 0
    else { return rate }
    parameters.parm.capture.timeperframe = v4l2_fract(numerator: rate.seconds, denominator: rate.frames)
    guard device.request(VIDIOC_S_PARM, &parameters) == 0 else { return rate }
    return FrameRate(interval: parameters.parm.capture.timeperframe) ?? rate
  }

  private static func refusal(
    _ request: CameraRequest, offers: [FormatOffer], device: borrowing V4L2Device
  ) -> CameraError {
    let asked = "\(request.pixelFormat.map { "\($0) " } ?? "")\(request.size) at \(request.rate) fps"
    let hint: String
    if !offers.isEmpty, offers.allSatisfy({ $0.pixelFormat.isBayer }) {
      hint =
        "It is a bare image sensor (\(offers.map(\.pixelFormat.description).joined(separator: ", "))): run the "
        + "recorder under `libcamerify`, from libcamera's V4L2 compatibility package, which makes pictures of it."
    } else {
      hint = "\(device.card) offers: \(offers.summary)."
    }
    return CameraError(.unsupported, device: device.name, operation: asked, hint: hint)
  }
}

/// The answer to VIDIOC_S_FMT, from either of its two shapes.
struct GrantedPixels {
  var pixelFormat: PixelFormat
  var size: FrameSize
  var strides: [Int]
  var isFullRange: Bool
  var matrix: Int

  init(_ format: v4l2_format, isMultiplanar: Bool) {
    let colorspace, encoding, quantization: UInt32
    if isMultiplanar {
      let pixels = format.fmt.pix_mp
      pixelFormat = PixelFormat(rawValue: pixels.pixelformat)
      size = FrameSize(width: Int(pixels.width), height: Int(pixels.height))
      let planes = pixels.plane_fmt
      strides = [planes.0, planes.1, planes.2].prefix(Int(pixels.num_planes)).map { Int($0.bytesperline) }
      (colorspace, encoding) = (pixels.colorspace, UInt32(pixels.ycbcr_enc))
      quantization = UInt32(pixels.quantization)
    } else {
      let pixels = format.fmt.pix
      pixelFormat = PixelFormat(rawValue: pixels.pixelformat)
      size = FrameSize(width: Int(pixels.width), height: Int(pixels.height))
      strides = [Int(pixels.bytesperline)]
      (colorspace, encoding, quantization) = (pixels.colorspace, pixels.ycbcr_enc, pixels.quantization)
    }
    // The defaults as V4L2_MAP_QUANTIZATION_DEFAULT and V4L2_MAP_YCBCR_ENC_DEFAULT have them. A JPEG's samples are
    // of full range and BT.601 whatever the driver says (JFIF 1.02).
    let isJPEG = pixelFormat.isJPEG
    isFullRange =
      isJPEG || quantization == V4L2_QUANTIZATION_FULL_RANGE.rawValue
      || (quantization == V4L2_QUANTIZATION_DEFAULT.rawValue && colorspace == V4L2_COLORSPACE_JPEG.rawValue)
    let is709 =
      encoding == V4L2_YCBCR_ENC_709.rawValue
      || (encoding == V4L2_YCBCR_ENC_DEFAULT.rawValue
        && [V4L2_COLORSPACE_REC709.rawValue, V4L2_COLORSPACE_DCI_P3.rawValue].contains(colorspace))
    let is2020 =
      encoding == V4L2_YCBCR_ENC_BT2020.rawValue
      || (encoding == V4L2_YCBCR_ENC_DEFAULT.rawValue && colorspace == V4L2_COLORSPACE_BT2020.rawValue)
    matrix = isJPEG ? 6 : is709 ? 1 : is2020 ? 9 : 6
  }
}
